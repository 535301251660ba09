"""``python -m cloudbang share``: a command of the host, shown by the running server.

=====================  ==================================================================
``command``            the command line: settings in, link out, exit status
``sharing``            the one loop between the program and the server
``program``            the program in a terminal of its own, and its certain end
``handover``           that terminal handed over to the server
``server_connection``  the connection to the server's socket ``/terminal_share``
=====================  ==================================================================

One thread and no gevent: it waits in ``select``, so that neither direction ever holds up the other.
"""
