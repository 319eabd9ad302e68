"""Who a person is and whether they may enter: pure functions over claims. No input, no output."""
