"""A name server for one zone, signed by DNSSEC while it answers: real proofs, also of what does not exist."""

import pathlib
import socket
import socketserver
import threading
import time

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.util
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

HOUR = 3600


class SignedZone:
    """`records`: {"mx1": ["A 127.0.0.1"], "@": ["MX 10 mx1"]}; names in `broken` have signatures that fail."""

    def __init__(self, dir, zone="fleet.example", records=None, broken=()):
        self.zone = dns.name.from_text(zone)
        self.records = {}
        for name, texts in (records or {}).items():
            for text in texts:
                self.add(name, text)
        self.broken = {self.full(n) for n in broken}
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.dnskey = dns.dnssec.make_dnskey(self.key.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
        self.anchor = pathlib.Path(dir) / "anchor.key"
        self.anchor.write_text(f"{self.zone} {HOUR} IN DNSKEY {self.dnskey}\n")
        self.put(self.zone, dns.rdatatype.DNSKEY, self.dnskey)
        self.put(self.zone, dns.rdatatype.SOA, dns.rdata.from_text("IN", "SOA", f"ns.{zone}. root.{zone}. 1 1 1 1 60"))
        self.add("@", "NS ns")

    def full(self, name):
        return self.zone if name == "@" else dns.name.from_text(name, self.zone)

    def put(self, name, kind, data):
        self.records.setdefault((name, kind), []).append(data)

    def add(self, name, text):
        kind, data = text.split(" ", 1)
        self.put(self.full(name), dns.rdatatype.from_text(kind),
                 dns.rdata.from_text("IN", kind, data, origin=self.zone, relativize=False))

    # ---- answers ----

    def rrsets(self, name, kind, data):
        """The records and their signature."""
        rrset = dns.rrset.from_rdata_list(name, HOUR, data)
        signature = dns.dnssec.sign(rrset, self.key, self.zone, self.dnskey, inception=time.time() - HOUR, lifetime=2 * HOUR)
        if name in self.broken:
            rrset = dns.rrset.from_rdata_list(name, HOUR, [dns.rdata.from_text("IN", "A", "127.66.66.66")]
                                              if kind == dns.rdatatype.A else data[:1])
            signature = signature.replace(signature=bytes(64))
        return [rrset, dns.rrset.from_rdata(name, HOUR, signature)]

    def denial(self, name):
        """A name that exists, as far as the proof says, without the type asked for (RFC 4470)."""
        kinds = sorted({k for n, k in self.records if n == name} | {dns.rdatatype.RRSIG, dns.rdatatype.NSEC})
        following = dns.name.Name((b"\0",) + name.labels)
        types = " ".join(dns.rdatatype.to_text(k) for k in kinds)
        nsec = dns.rdata.from_text("IN", "NSEC", f"{following} {types}")
        soa = self.records[self.zone, dns.rdatatype.SOA]
        return self.rrsets(self.zone, dns.rdatatype.SOA, soa) + self.rrsets(name, dns.rdatatype.NSEC, [nsec])

    def answer(self, query):
        question = query.question[0]
        reply = dns.message.make_response(query, recursion_available=True)
        reply.use_edns(0, dns.flags.DO, 1232)
        data = self.records.get((question.name, question.rdtype))
        if not question.name.is_subdomain(self.zone):
            reply.set_rcode(dns.rcode.REFUSED)
        elif data:
            reply.answer = self.rrsets(question.name, question.rdtype, data)
        else:
            reply.authority = self.denial(question.name)
        return reply

    # ---- life ----

    def __enter__(self):
        zone = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                query = dns.message.from_wire(self.request[0])
                wire = zone.answer(query).to_wire(max_size=65535)
                self.request[1].sendto(wire, self.client_address)

        self.server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%u" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
