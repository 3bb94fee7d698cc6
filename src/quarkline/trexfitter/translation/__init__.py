"""From blocks of TRExFitter's language to the keys of a catalog, place by place."""
