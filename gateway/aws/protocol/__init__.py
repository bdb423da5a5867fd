"""AWS's query protocol, driven by botocore's service models: parameters in, XML or JSON out. Knows no action."""
