"""The container of an evidence bundle: ustar in one gzip member, written one way and read strictly."""
