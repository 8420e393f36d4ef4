"""The past of definitions that are new or changed, interval after interval."""
