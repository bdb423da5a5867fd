"""Who may do what with a Keystone token: the token's caller, and policy."""
