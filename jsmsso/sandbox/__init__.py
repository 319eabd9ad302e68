"""Stand-ins on loopback for the demo and the tests: a local Cognito and a local JSM. Nothing here serves a customer."""
