"""``provider add``, in the order of its files: options, questions, writing."""
