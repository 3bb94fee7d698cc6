"""The files of a job's folder, in the formats of TRExFitter: written and read."""
