"""What stands in front of torhaus (balancers, NAT), and what it says to them and of them."""

import re
import socket
import struct

import pytest

from conftest import wait_for

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxy_v2(tlvs=b""):
    addresses = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack("!HH", 4711, 80)
    return SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses + tlvs)) + addresses + tlvs


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


TLS_TLV = tlv(0x20, b"\x01\0\0\0\0")


@pytest.fixture(scope="module")
def balanced(make_torhaus_once):
    from origin import Origin
    with Origin() as origin:
        origin.default.status, origin.default.body = 200, b"seen"
        t = make_torhaus_once(web='proxy_from = {"127.0.0.0/8"}')
        t.add("example.test", origin.url)
        t.start()
        t.origin = origin
        yield t


@pytest.mark.parametrize("tlvs,scheme", [(b"", "http"), (TLS_TLV, "https"), (tlv(5, bytes(60000)) + TLS_TLV, "https"),
                                         (tlv(5, bytes(65535 - 12 - 3)), "http")], ids=["none", "tls", "large", "largest"])
def test_proxy_v2_with_extensions(balanced, tlvs, scheme):
    path = f"/{len(tlvs)}"
    with balanced.connect() as c:
        c.send(proxy_v2(tlvs) + f"GET {path} HTTP/1.1\r\nHost: example.test\r\n\r\n".encode())
        assert c.read().body == b"seen"
    seen = balanced.origin.last(path)
    assert seen.get("X-Forwarded-For") == "192.0.2.7" and seen.get("X-Forwarded-Proto") == scheme


def test_a_missing_proxy_header_is_told(balanced):
    with balanced.connect() as c:
        c.send(b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")
        assert c.is_closed()
    wait_for(lambda: "code=WEB-NO-PROXY-HEADER" in balanced.logs())
    assert "client=127.0.0.1" in balanced.logs()


def test_a_balancer_that_speaks_http_is_believed(make_torhaus, origin):
    origin.default.status, origin.default.body = 200, b"seen"
    t = make_torhaus(web='forwarded_from = {"127.0.0.0/8"}')
    t.add("example.test", origin.url, "--redirect-to-tls", "yes")
    t.start()
    sent = {"X-Forwarded-For": "1.2.3.4, 192.0.2.9", "X-Forwarded-Proto": "https", "Forwarded": "for=6.6.6.6;proto=http"}
    assert t.get("/by-tls", headers=sent).body == b"seen"
    seen = origin.last("/by-tls")
    assert seen.get("X-Forwarded-For") == "192.0.2.9" and seen.get("X-Forwarded-Proto") == "https"
    assert 'for=192.0.2.9;' in seen.get("Forwarded") and seen.get("Forwarded").endswith("proto=https")
    assert t.get("/plain", headers={**sent, "X-Forwarded-Proto": "http"}).status == 301
    # From elsewhere the same is nobody's word.
    with socket.create_connection(("::1", t.port6)) as s:
        s.sendall(b"GET /x HTTP/1.1\r\nHost: example.test\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")
        assert s.recv(65536).startswith(b"HTTP/1.1 301 ")
    wait_for(lambda: len(t.access_lines()) >= 3)
    assert t.access_lines()[0]["client"] == "192.0.2.9" and t.access_lines()[0]["scheme"] == "https"


def test_redirects_name_the_port_that_visitors_know(make_torhaus, origin):
    t = make_torhaus()
    t.add("example.test", origin.url, "--redirect-to-tls", "yes")
    t.start()
    # A Host without a port, though we listen elsewhere: something maps the ports.
    assert t.get("/a?b").get("Location") == "https://example.test/a?b"
    assert t.get("/", host=f"example.test:{t.port}").get("Location") == f"https://example.test:{t.tls_port}/"
    t.write_conf(web="public_tls_port = 8443")
    t.run("reload")
    wait_for(lambda: t.get("/").get("Location") == "https://example.test:8443/")


def test_health_url(make_torhaus, origin):
    """By address, or without a name at all; a site keeps its paths."""
    t = make_torhaus()
    t.add("example.test", origin.url)
    t.start()
    for head in ("GET /torhaus-health HTTP/1.0\r\n\r\n", "GET /torhaus-health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                 f"GET /torhaus-health HTTP/1.1\r\nHost: [::1]:{t.port6}\r\n\r\n"):
        with t.connect() as c:
            c.send(head.encode())
            reply = c.read()
            assert reply.status == 200 and reply.body == b"ok\n", head
    with t.connect() as c:
        c.send(b"GET /else HTTP/1.0\r\n\r\n")
        assert c.read().status == 400 and c.is_closed()
    assert t.get("/torhaus-health").status == 404 and origin.count("/torhaus-health") == 1
    assert t.get("/torhaus-health", host="other.test").status == 421


def test_what_the_origin_says_of_other_ways(site):
    """Alt-Svc would lead past us; a site may want that."""
    site.origin.on("/a", headers={"Alt-Svc": 'h3=":443"', "Cache-Control": "max-age=60"}, body=b"x")
    for _ in range(2):
        assert site.get("/a").get("Alt-Svc") is None
    site.run("domain", "set", "example.test", "--alt-svc", "yes")
    wait_for(lambda: site.get("/a").get("Alt-Svc") == 'h3=":443"')


def test_answers_with_many_fields(make_torhaus, origin):
    for n in (90, 200, 300):
        origin.on(f"/{n}", headers={"X": [str(i) for i in range(n)]}, body=b"many")
    t = make_torhaus()
    t.add("example.test", origin.url)
    t.start()
    assert [t.get(f"/{n}").status for n in (90, 200, 300)] == [200, 200, 502]
    assert "> 256 fields" in t.logs()


def test_names_with_underscores(make_torhaus, origin):
    origin.default.status, origin.default.body = 200, b"seen"
    t = make_torhaus()
    t.add("example.test", origin.url, "--web", "my_shop.example.test")
    t.start()
    assert t.get("/", host="my_shop.example.test").body == b"seen"


def test_the_combined_log_says_whose_line_it_is(make_torhaus, origin):
    t = make_torhaus(access="combined")
    t.add("example.test", origin.url, "--web", "www.example.test")
    t.start()
    t.get("/a", host="www.example.test", headers={"User-Agent": "Me"})
    t.get("/b", host="other.test")
    wait_for(lambda: t.access_path.exists() and len(t.access_path.read_text().splitlines()) == 2)
    first, second = t.access_path.read_text().splitlines()
    assert re.fullmatch(rf'example\.test:{t.port} 127\.0\.0\.1 - - \[.*\] "GET /a HTTP/1\.1" 404 9 "-" "Me"', first), first
    assert second.startswith(f"-:{t.port} 127.0.0.1 ")


def test_repeated_fields_show_all_their_values(site):
    site.origin.on("/two", raw=b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc")
    assert site.get("/two").status == 502
    assert 'what="3, 4"' in site.logs()
