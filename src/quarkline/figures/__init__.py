"""Result values in, matplotlib figures out; reads no files and fits nothing."""
