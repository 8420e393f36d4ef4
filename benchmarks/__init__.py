"""How fast Segue is, beside the best SQL by hand and a plain Beam pipeline, over one synthetic world."""
