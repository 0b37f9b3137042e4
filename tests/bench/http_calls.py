"""What a call costs over HTTP beside one over gRPC: GetJob of one ended job, one
call after another, both from Python and in turn."""
import json
import socket
import time

from http_case import HttpCluster
from vigil.v1 import job_service_pb2

CALLS = 2000
PIECE = 100


def http_request(port, codec, body):
    """GetJob as it goes over the wire."""
    return (f"POST /vigil.v1.JobService/GetJob HTTP/1.1\r\n"
            f"Host: localhost:{port}\r\nContent-Type: application/{codec}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def http_call(sock, request):
    """Sends a request and reads its whole answer."""
    sock.sendall(request)
    text = b""
    while b"\r\n\r\n" not in text:
        text += sock.recv(65536)
    head, body = text.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 "), head
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
    while len(body) < size:
        body += sock.recv(65536)


def call_times():
    """Microseconds of each call: over gRPC, in JSON, in binary."""
    times = {"gRPC": [], "JSON": [], "binary": []}
    with HttpCluster(local_slots=1, catalog=None) as cluster:
        job_id = cluster.submit(cluster.command("/bin/true"))
        cluster.finish(job_id)
        request = job_service_pb2.GetJobRequest(job_id=job_id)
        with cluster.socket() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            in_json = http_request(cluster.port, "json", json.dumps(
                {"jobId": job_id}).encode())
            in_binary = http_request(cluster.port, "proto",
                                     request.SerializeToString())
            calls = {"gRPC": lambda: cluster.jobs.GetJob(request),
                     "JSON": lambda: http_call(sock, in_json),
                     "binary": lambda: http_call(sock, in_binary)}
            for _ in range(CALLS // PIECE):
                for name, call in calls.items():
                    for _ in range(PIECE):
                        start = time.monotonic()
                        call()
                        times[name].append((time.monotonic() - start) * 1e6)
    return times
