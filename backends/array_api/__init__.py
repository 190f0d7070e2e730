"""Any library that follows the array API standard, as a backend."""
