"""Live peers in network namespaces of their own: the rig of the interop tests and of scripts/demo."""
