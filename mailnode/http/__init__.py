"""What a node says over HTTP: by Twisted's web server.

exposition  the metrics, as Prometheus reads them
site        the resources, at their port
"""
