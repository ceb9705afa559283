#!/usr/bin/env python3
"""sns.py ENDPOINT: stands before an emulator that lacks one operation of SNS, CheckIfPhoneNumberIsOptedOut.

It answers that operation itself (no number has opted out) and passes every other call on. It prints its port first,
and ends with its standard input.
"""
import http.client
import http.server
import sys
import threading
import urllib.parse

NOT_OPTED_OUT = (
    b'<CheckIfPhoneNumberIsOptedOutResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
    b"<CheckIfPhoneNumberIsOptedOutResult><isOptedOut>false</isOptedOut></CheckIfPhoneNumberIsOptedOutResult>"
    b"</CheckIfPhoneNumberIsOptedOutResponse>"
)
emulator = urllib.parse.urlsplit(sys.argv[1]).netloc


class Sns(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"Action=CheckIfPhoneNumberIsOptedOut" in body:
            return self.answer(200, NOT_OPTED_OUT)
        connection = http.client.HTTPConnection(emulator, timeout=30)
        # With the Host that was signed.
        connection.request("POST", self.path, body, dict(self.headers))
        answer = connection.getresponse()
        self.answer(answer.status, answer.read())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sns)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
