"""How systems are compared: trials, one protocol, a ledger, workers."""
