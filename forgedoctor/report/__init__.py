"""Reports: one file a format. A report shows; it never decides."""
