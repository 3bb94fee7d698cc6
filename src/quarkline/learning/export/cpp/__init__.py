"""Networks as a C++ header that needs nothing but the standard library."""
