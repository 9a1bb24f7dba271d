"""Driver `dlt645`: electricity meters by DL/T 645-2007 and -1997."""
