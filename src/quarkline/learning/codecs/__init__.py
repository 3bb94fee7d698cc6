"""Error-bounded coding of event tables and the container it is stored in."""
