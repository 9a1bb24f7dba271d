"""Driver `cjt188`: water, heat and gas meters by CJ/T 188-2004 and -2018."""
