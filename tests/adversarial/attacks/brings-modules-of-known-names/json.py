raise RuntimeError("LEAK: this is not the module that was meant")
