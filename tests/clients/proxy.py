"""Proxy: TCP on loopback in front of a coordinator; a test cuts connections."""
import socket
import threading


def _pump(source, sink):
    """Copies bytes until either side is gone, then closes both."""
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Proxy:
    """Passes connections on to where `connect()` leads. Use it with `with`."""

    def __init__(self, connect):
        """`connect` returns a connected socket, or raises OSError."""
        self._connect = connect
        self._lock = threading.Lock()
        self._pairs = []
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        # close() alone would not wake accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join()
        self.cut()
        self._listener.close()

    def cut(self):
        """Drops every connection there is; returns how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        live = 0
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                    live += 1
                except OSError:
                    pass
                end.close()
        return live

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            self._start(_pump, client, server)
            self._start(_pump, server, client)
