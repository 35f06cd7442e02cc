"""The cache, seen from outside: RFC 9111, RFC 5861, RFC 9211, RFC 9213 and the presets."""

import re
import time
from email.utils import formatdate

import pytest

from conftest import wait_for
from origin import Answer, Origin
from pair import make_pair


def past(seconds):
    return formatdate(time.time() - seconds, usegmt=True)


STORED = [
    ("max-age", {"Cache-Control": "max-age=60"}),
    ("s-maxage beats max-age", {"Cache-Control": "max-age=0, s-maxage=60"}),
    ("Expires", {"Expires": formatdate(time.time() + 600, usegmt=True)}),
    ("heuristic from Last-Modified", {"Last-Modified": past(100000)}),
    ("public", {"Cache-Control": "public, max-age=60"}),
    ("CDN-Cache-Control beats no-store", {"Cache-Control": "no-store", "CDN-Cache-Control": "max-age=60"}),
    ("must-understand with a known status", {"Cache-Control": "must-understand, no-store, max-age=60"}),
    ("Set-Cookie with public", {"Cache-Control": "public, max-age=60", "Set-Cookie": "a=b"}),
    ("must-revalidate while fresh", {"Cache-Control": "max-age=60, must-revalidate"}),
    ("extension unknown", {"Cache-Control": "max-age=60, frobnicate=\"a, no-store\""}),
    ("upper case", {"Cache-Control": "MAX-AGE=60"}),
    ("quoted", {"Cache-Control": "max-age=\"60\""}),
]
NOT_STORED = [
    ("no-store", {"Cache-Control": "no-store, max-age=60"}),
    ("private", {"Cache-Control": "private, max-age=60"}),
    ("no-cache", {"Cache-Control": "no-cache, max-age=60"}),
    ("Vary *", {"Cache-Control": "max-age=60", "Vary": "*"}),
    ("Vary list with *", {"Cache-Control": "max-age=60", "Vary": "Accept, *"}),
    ("Set-Cookie", {"Cache-Control": "max-age=60", "Set-Cookie": "a=b"}),
    ("max-age=0", {"Cache-Control": "max-age=0"}),
    ("Expires in the past", {"Expires": past(10)}),
    ("Expires: 0", {"Expires": "0"}),
    ("max-age beats Expires", {"Cache-Control": "max-age=0", "Expires": formatdate(time.time() + 600, usegmt=True)}),
    ("nothing said", {}),
    ("Age exceeds max-age", {"Cache-Control": "max-age=60", "Age": "61"}),
    ("Age overflows", {"Cache-Control": "max-age=60", "Age": "99999999999999"}),
    ("old Date", {"Cache-Control": "max-age=60", "Date": past(100)}),
    ("CDN-Cache-Control says private", {"Cache-Control": "max-age=60", "CDN-Cache-Control": "private"}),
    ("must-understand with a status that nobody knows", {"Cache-Control": "must-understand, max-age=60", "X-Status": "499"}),
    ("CDN-Cache-Control with no-store", {"Cache-Control": "max-age=60", "CDN-Cache-Control": "no-store"}),
    ("no-cache among others, in another field", {"Cache-Control": ["max-age=60", "no-cache"]}),
    ("two max-age: the smaller", {"Cache-Control": "max-age=60, max-age=0"}),
    ("negative max-age", {"Cache-Control": "max-age=-5"}),
    ("max-age that is no number", {"Cache-Control": "max-age=abc"}),
]


@pytest.mark.parametrize("name,headers", STORED, ids=[s[0] for s in STORED])
def test_stored(site, name, headers):
    site.origin.on("/x", headers=headers, body=b"one")
    assert site.get("/x").body == b"one"
    again = site.get("/x")
    assert again.is_hit and again.get("Age") is not None
    assert site.origin.count("/x") == 1


@pytest.mark.parametrize("name,headers", NOT_STORED, ids=[s[0] for s in NOT_STORED])
def test_not_reused(site, name, headers):
    site.origin.on("/x", status=int(headers.get("X-Status", 200)), headers=headers, body=b"one")
    site.get("/x")
    assert not site.get("/x").is_hit
    assert site.origin.count("/x") == 2


@pytest.mark.parametrize("status,is_stored", [(200, True), (203, True), (301, True), (308, True), (404, True), (410, True),
                                              (501, True), (302, True), (500, True), (503, True), (418, True)])
def test_explicit_freshness_holds_for_any_status(site, status, is_stored):
    site.origin.on("/x", status=status, headers={"Cache-Control": "max-age=60", "Location": "/y"}, body=b"x")
    assert site.get("/x").status == status
    assert site.get("/x").is_hit is is_stored


def test_what_a_visitor_provoked_is_nobody_elses(site):
    """An origin that puts max-age on everything, and a visitor with an odd field: the others get the page."""
    def answer(request):
        if request.get("X-Odd"):
            return Answer(int(request.get("X-Odd")), headers={"Cache-Control": "max-age=60"}, body=b"refused")
        return Answer(headers={"Cache-Control": "max-age=60"}, body=b"page")
    for status in (400, 403, 406, 412, 413, 416, 429, 431, 500):
        site.origin.on(f"/{status}", call=answer)
        assert site.get(f"/{status}", headers={"X-Odd": status}).status == status
        assert site.get(f"/{status}").body == b"page"
        assert site.get(f"/{status}", headers={"X-Odd": status}).is_hit


def test_an_odd_request_does_not_take_the_old_page_away(site):
    def answer(request):
        return Answer(400 if request.get("X-Odd") else 200, headers={"Cache-Control": "max-age=1"}, body=b"page")
    site.origin.on("/old", call=answer)
    site.get("/old")
    time.sleep(1.2)
    assert site.get("/old", headers={"X-Odd": "1"}).status == 400
    site.origin.stop()
    assert site.get("/old").body == b"page"


def test_presets_share_what_was_asked_for_anonymously(make_torhaus_once):
    with Origin() as origin:
        origin.default = Answer(headers={"Content-Type": "text/css"}, body=b"x")
        t = make_torhaus_once()
        t.add("example.test", origin.url, "--preset", "static")
        t.add("wordpress.test", origin.url, "--preset", "wordpress")
        t.start()
        for host in ("example.test", "wordpress.test"):
            for path in ("/account/x.css", "/static/..%2faccount", "/x"):
                t.get(path, host=host, headers={"Cookie": "session=1"})
                assert not t.get(path, host=host).is_hit, path
                assert t.get(path, host=host, headers={"Cookie": "_ga=1"}).is_hit, path
        assert not t.get("//my-account", host="wordpress.test").is_hit
        assert not t.get("//my-account", host="wordpress.test").is_hit
        assert not t.get("/a?mc_page=1").is_hit and not t.get("/a?mc_page=2").is_hit


@pytest.mark.parametrize("status", [302, 307, 403, 500, 503])
def test_no_heuristics_for_other_statuses(site, status):
    site.origin.on("/x", status=status, headers={"Last-Modified": past(100000)}, body=b"x")
    site.get("/x")
    assert not site.get("/x").is_hit


def test_partial_content_is_never_stored(site):
    site.origin.on("/x", status=206, headers={"Cache-Control": "max-age=60", "Content-Range": "bytes 0-1/10"}, body=b"ab")
    site.get("/x", headers={"Range": "bytes=0-1"})
    site.get("/x", headers={"Range": "bytes=0-1"})
    assert site.origin.count("/x") >= 2


def test_authorization(site):
    site.origin.on("/plain", headers={"Cache-Control": "max-age=60"}, body=b"x")
    site.origin.on("/public", headers={"Cache-Control": "public, max-age=60"}, body=b"x")
    for path in ("/plain", "/public"):
        site.get(path, headers={"Authorization": "Basic eDp5"})
    assert not site.get("/plain").is_hit
    assert site.get("/public").is_hit


def test_qualified_private_and_no_cache(site):
    """The named fields are for the first client only; the rest is shared."""
    site.origin.on("/x", headers={"Cache-Control": 'max-age=60, private="Set-Cookie", no-cache="X-Once"',
                                  "Set-Cookie": "sid=1", "X-Once": "1", "X-All": "2"}, body=b"x")
    first, second = site.get("/x"), site.get("/x")
    assert first.get("Set-Cookie") == "sid=1" and first.get("X-Once") == "1"
    assert second.is_hit and second.get("Set-Cookie") is None and second.get("X-Once") is None
    assert second.get("X-All") == "2"


def test_vary(site):
    site.origin.on("/v", call=lambda r: Answer(
        headers={"Cache-Control": "max-age=60", "Vary": "Accept-Language, X-Kind"},
        body=(r.get("Accept-Language", "-") + r.get("X-Kind", "-")).encode()))

    def ask(**headers):
        return site.get("/v", headers={k.replace("_", "-"): v for k, v in headers.items()})

    assert ask(Accept_Language="de").body == b"de-"
    assert ask(Accept_Language="en").body == b"en-"
    assert ask(Accept_Language="de").is_hit and ask(Accept_Language="en").is_hit
    assert "vary-miss" in ask(Accept_Language="fr").cache_status
    assert ask(Accept_Language="de", X_Kind="").body == b"de"
    assert site.origin.count("/v") == 4


def test_vary_on_accept_encoding_is_normalised(site):
    site.origin.on("/v", headers={"Cache-Control": "max-age=60", "Vary": "Accept-Encoding"}, body=b"x")
    site.get("/v", headers={"Accept-Encoding": "gzip, deflate, br"})
    assert site.get("/v", headers={"Accept-Encoding": "br;q=0.9,gzip , deflate"}).is_hit
    assert not site.get("/v", headers={"Accept-Encoding": "gzip;q=0, br"}).is_hit


def test_request_directives(site):
    site.origin.on("/r", headers={"Cache-Control": "max-age=60", "ETag": '"1"'}, body=b"x")
    site.get("/r")
    assert not site.get("/r", headers={"Cache-Control": "no-cache"}).is_hit
    assert not site.get("/r", headers={"Pragma": "no-cache"}).is_hit
    assert not site.get("/r", headers={"Cache-Control": "no-store"}).is_hit
    assert not site.get("/r", headers={"Cache-Control": "min-fresh=100"}).is_hit
    assert site.get("/r", headers={"Cache-Control": "min-fresh=10"}).is_hit
    assert site.get("/r", headers={"Cache-Control": "only-if-cached"}).is_hit
    assert site.get("/none", headers={"Cache-Control": "only-if-cached"}).status == 504
    time.sleep(1.1)
    assert not site.get("/r", headers={"Cache-Control": "max-age=0"}).is_hit


def test_max_stale(site):
    site.origin.on("/r", headers={"Cache-Control": "max-age=1"}, body=b"x")
    site.get("/r")
    time.sleep(2.1)
    assert site.get("/r", headers={"Cache-Control": "max-stale=30"}).is_hit
    assert not site.get("/r").is_hit


def test_head_from_get(site):
    site.origin.on("/h", headers={"Cache-Control": "max-age=60"}, body=b"12345")
    site.get("/h")
    reply = site.get("/h", method="HEAD")
    assert reply.is_hit and reply.get("Content-Length") == "5" and reply.body == b""


def test_validation_and_update(site):
    """Stale: the origin is asked with both validators; its 304 freshens the stored fields."""
    def answer(request):
        if request.get("If-None-Match") == '"1"':
            return Answer(304, headers={"ETag": '"1"', "Cache-Control": "max-age=60", "X-Version": "2"})
        return Answer(headers={"ETag": '"1"', "Last-Modified": past(1000), "Cache-Control": "max-age=1",
                               "X-Version": "1", "X-Kept": "yes", "Content-Type": "text/plain"}, body=b"body")
    site.origin.on("/v", call=answer)
    site.get("/v")
    time.sleep(1.2)
    second = site.get("/v")
    assert second.body == b"body" and second.get("X-Version") == "2" and "fwd-status=304" in second.cache_status
    assert site.origin.last("/v").get("If-Modified-Since") is not None
    third = site.get("/v")
    assert third.is_hit and third.get("X-Version") == "2" and third.get("X-Kept") == "yes" and third.body == b"body"


def test_conditional_requests(site):
    modified = past(1000)
    site.origin.on("/c", headers={"ETag": '"abc"', "Last-Modified": modified, "Cache-Control": "max-age=60"}, body=b"body")
    site.get("/c")

    def status(**headers):
        return site.get("/c", headers={k.replace("_", "-"): v for k, v in headers.items()}).status

    assert status(If_None_Match='"abc"') == 304
    assert status(If_None_Match='W/"abc", "x"') == 304
    assert status(If_None_Match='*') == 304
    assert status(If_None_Match='"other"') == 200
    assert status(If_Modified_Since=modified) == 304
    assert status(If_Modified_Since=past(2000)) == 200
    assert status(If_None_Match='"other"', If_Modified_Since=modified) == 200
    assert status(If_Match='"other"') == 412
    assert status(If_Match='"abc"') == 200
    assert status(If_Unmodified_Since=past(2000)) == 412
    assert site.origin.count("/c") == 1


def test_ranges(site):
    body = bytes(range(256)) * 40
    site.origin.on("/r", headers={"ETag": '"e"', "Cache-Control": "max-age=60", "Content-Type": "text/x"}, body=body)
    first = site.get("/r", headers={"Range": "bytes=10-19"})
    assert (first.status, first.body, first.get("Content-Range")) == (206, body[10:20], f"bytes 10-19/{len(body)}")

    def ask(value, **extra):
        return site.get("/r", headers={"Range": value, **extra})

    assert ask("bytes=-5").body == body[-5:]
    assert ask("bytes=10000-").body == body[10000:]
    assert ask("bytes=20000-").status == 416 and ask("bytes=20000-").get("Content-Range") == f"bytes */{len(body)}"
    assert ask("bytes=5-2").status == 200 and ask("lines=1-2").status == 200
    assert ask("bytes=0-1", **{"If-Range": '"e"'}).status == 206
    assert ask("bytes=0-1", **{"If-Range": '"f"'}).status == 200
    two = ask("bytes=0-1,100-101")
    assert two.status == 206 and two.get("Content-Type").startswith("multipart/byteranges; boundary=")
    assert two.body.count(b"Content-Range: bytes") == 2 and body[100:102] in two.body
    assert site.origin.count("/r") == 1


def test_invalidation_by_unsafe_methods(site):
    for path in ("/list", "/item", "/other"):
        site.origin.on(path, headers={"Cache-Control": "max-age=60"}, body=path.encode())
        site.get(path)
    site.origin.on("/post", status=201, headers={"Location": "/item", "Content-Location": "http://example.test/list"})
    site.get("/post", method="POST", body=b"x")
    assert not site.get("/item").is_hit and not site.get("/list").is_hit and site.get("/other").is_hit
    site.origin.on("/other", status=500, headers={})
    site.get("/other", method="POST", body=b"x")
    assert site.get("/other").is_hit, "an unsafe request that failed invalidates nothing"


def test_age_is_always_said_and_counts_up(site):
    site.origin.on("/a", headers={"Cache-Control": "max-age=60", "Age": "10"}, body=b"x")
    assert site.get("/a").get("Age") == "10"
    time.sleep(1.1)
    later = site.get("/a")
    assert later.is_hit and int(later.get("Age")) >= 11
    assert re.search(r"torhaus; hit; ttl=4\d$", later.cache_status)


def test_cache_status_says_why(site):
    site.origin.on("/s", headers={"Cache-Control": "max-age=60"}, body=b"x")
    site.origin.on("/p", headers={"Cache-Control": "private"}, body=b"x")
    assert site.get("/s").cache_status == "torhaus; fwd=uri-miss; fwd-status=200; stored"
    assert site.get("/p").cache_status == "torhaus; fwd=uri-miss; fwd-status=200"
    assert site.get("/s", headers={"Cache-Control": "no-cache"}).cache_status.startswith("torhaus; fwd=request; fwd-status=200")
    assert site.get("/s", method="POST", body=b"").cache_status.startswith("torhaus; fwd=method; fwd-status=200")


def test_trailers_and_interim_answers_of_what_is_stored(site):
    """1xx go to whoever's request fetched; trailers belong to the answer."""
    site.origin.on("/t", headers={"Cache-Control": "max-age=60"}, body=b"body", trailers={"X-Sum": "42"},
                   interim=[(103, {"Link": "</a.css>; rel=preload"})])
    first, second = site.get("/t", headers={"TE": "trailers"}), site.get("/t", headers={"TE": "trailers"})
    assert [s for s, _ in first.interim] == [103] and second.interim == []
    assert second.is_hit and second.body == b"body"


def test_ranges_of_what_is_not_there_yet(site):
    """It goes on as a range; an origin that sends all instead has it kept, and ranges are cut from that."""
    site.origin.on("/r", headers={"Cache-Control": "max-age=60"}, body=b"0123456789")
    first = site.get("/r", headers={"Range": "bytes=2-4"})
    assert (first.status, first.body) == (206, b"234")
    assert site.origin.last("/r").get("Range") == "bytes=2-4"
    again = site.get("/r", headers={"Range": "bytes=7-"})
    assert (again.status, again.body) == (206, b"789") and site.origin.count("/r") == 1


def test_small_questions_do_not_make_large_fetches(site):
    """Ever new queries, one byte or a HEAD each: the origin sends no more than that. Wanted again, the whole is kept."""
    body = b"x" * 500000

    def answer(request):
        headers = {"Cache-Control": "max-age=60"}
        if request.get("Range") == "bytes=0-0":
            return Answer(206, headers={**headers, "Content-Range": f"bytes 0-0/{len(body)}"}, body=b"x")
        return Answer(headers=headers, body=body)
    site.origin.on("/large", call=answer)
    for i in range(5):
        assert site.get(f"/large?{i}", headers={"Range": "bytes=0-0"}).body == b"x"
        assert site.get(f"/large?h{i}", method="HEAD").status == 200
    assert all(r.get("Range") == "bytes=0-0" or r.method == "HEAD" for r in site.origin.requests)
    for _ in range(3):
        part = site.get("/large", headers={"Range": "bytes=0-0"})
        assert (part.status, part.body) == (206, b"x")
    assert site.origin.last("/large").get("Range") is None


def test_a_head_of_what_is_old_and_the_origin_down(site):
    site.origin.on("/h", headers={"Cache-Control": "max-age=1"}, body=b"12345")
    site.get("/h")
    time.sleep(1.2)
    site.origin.stop()
    assert site.get("/h", method="HEAD").is_hit


def test_a_range_if_the_page_is_of_a_wednesday(site):
    """Not everything that begins with W is a weak entity tag."""
    when = "Wed, 25 Nov 2020 12:00:00 GMT"
    site.origin.on("/r", headers={"Cache-Control": "max-age=60", "Last-Modified": when}, body=b"0123456789")
    site.get("/r")
    assert site.get("/r", headers={"Range": "bytes=0-1", "If-Range": when}).body == b"01"
    assert site.get("/r", headers={"Range": "bytes=0-1", "If-Range": 'W/"x"'}).status == 200


def test_directives_of_a_request_in_two_lines(site):
    site.origin.on("/x", headers={"Cache-Control": "max-age=60"}, body=b"x")
    site.get("/x")
    for last in ("no-cache", "no-store"):
        assert not site.get("/x", headers={"Cache-Control": ["max-age=3600", last]}).is_hit


def test_a_304_without_date_is_of_now(site):
    site.origin.on("/x", headers={"Cache-Control": "max-age=60", "ETag": '"1"', "Date": past(55)}, body=b"x")
    site.get("/x")
    site.origin.on("/x", status=304, headers={"ETag": '"1"'})
    assert site.get("/x", headers={"Cache-Control": "no-cache"}).body == b"x"
    assert int(site.get("/x").get("Age")) < 50


def test_s_maxage_is_not_stretched_by_a_visitor(site):
    """RFC 9111 5.2.2.10: as proxy-revalidate."""
    site.origin.on("/x", headers={"Cache-Control": "s-maxage=1"}, body=b"x")
    site.get("/x")
    time.sleep(1.2)
    assert not site.get("/x", headers={"Cache-Control": "max-stale"}).is_hit


def test_trailers_reach_the_one_who_fetched(site):
    site.origin.on("/t", headers={"Cache-Control": "max-age=60"}, pieces=[(0, b"bo"), (0.3, b"dy")], trailers={"X-Sum": "42"})
    assert site.get("/t").trailers == [("X-Sum", "42")]


def test_a_new_object_replaces_the_old_one(site):
    """200 to a conditional request: the old body is gone, its fields too."""
    site.origin.on("/v", headers={"ETag": '"1"', "Cache-Control": "max-age=1", "X-Old": "1"}, body=b"old")
    site.get("/v")
    time.sleep(1.2)
    site.origin.on("/v", headers={"ETag": '"2"', "Cache-Control": "max-age=60"}, body=b"new")
    assert site.get("/v").body == b"new"
    reply = site.get("/v")
    assert reply.is_hit and reply.body == b"new" and reply.get("X-Old") is None and reply.get("ETag") == '"2"'


def test_no_grace_where_it_is_switched_off_and_forced_where_it_is_forced(make_torhaus, origin):
    t = make_torhaus()
    t.add("none.test", origin.url, "--grace", "0")
    t.add("forced.test", origin.url, "--grace", "1h", "--grace-forced", "yes")
    t.start()
    origin.on("/s", headers={"Cache-Control": "max-age=1, must-revalidate"}, body=b"good")
    origin.on("/e", headers={"Cache-Control": "max-age=1, stale-if-error=60"}, body=b"good")
    origin.on("/x", headers={"Cache-Control": "max-age=1"}, body=b"good")
    for host in ("none.test", "forced.test"):
        for path in ("/s", "/e", "/x"):
            t.get(path, host=host)
    time.sleep(1.2)
    for path in ("/s", "/e", "/x"):
        origin.on(path, status=503)
    assert t.get("/s", host="none.test").status == 503 and t.get("/x", host="none.test").status == 503
    assert t.get("/x", host="none.test", headers={"Cache-Control": "stale-if-error=60"}).body == b"good"
    assert t.get("/e", host="none.test").body == b"good", "the origin allowed it itself"
    assert t.get("/s", host="forced.test").body == b"good"


def test_a_silent_origin_is_a_failure_too(make_torhaus, origin):
    t = make_torhaus()
    t.add("example.test", origin.url, "--grace", "1h", "--first-byte-timeout", "300ms")
    t.start()
    origin.on("/s", headers={"Cache-Control": "max-age=1"}, body=b"good")
    t.get("/s")
    time.sleep(1.2)
    origin.on("/s", headers={"Cache-Control": "max-age=1"}, body=b"late", delay=5)
    reply = t.get("/s")
    assert reply.body == b"good" and "detail=ORIGIN-SILENT" in reply.cache_status
    assert t.json("status")["sites"]["example.test"]["stale"] == 1


def test_what_is_in_memory_is_bounded(make_torhaus, origin):
    """More pages than fit: the bound holds, what is asked for all the time stays."""
    t = make_torhaus(web='cache_memory = "2M"')
    t.add("example.test", origin.url)
    t.start()
    origin.default = Answer(headers={"Cache-Control": "max-age=600"}, body=b"x" * 2048)
    hot = 0
    with t.connect() as c:
        for i in range(1500):
            c.request(f"/{i}")
            hot += c.request("/0").is_hit
    numbers = t.json("cache", "stat")
    assert numbers["bytes"] <= 2 << 20 and 300 < numbers["objects"] < 1000
    assert hot >= 1470 and origin.count("/0") <= 30


def test_stale_while_revalidate(site):
    site.origin.on("/s", headers={"Cache-Control": "max-age=1, stale-while-revalidate=30"}, body=b"old")
    site.get("/s")
    time.sleep(1.2)
    site.origin.on("/s", headers={"Cache-Control": "max-age=60"}, body=b"new", delay=0.5)
    began = time.monotonic()
    stale = [site.get("/s") for _ in range(5)]
    assert all(s.body == b"old" and s.is_hit for s in stale)
    assert time.monotonic() - began < 0.5, "nobody waited for the refresh"
    wait_for(lambda: site.get("/s").body == b"new", what="the refreshed object")
    assert site.origin.count("/s") == 2


FAILURES = [("500", dict(status=500)), ("503", dict(status=503)), ("broken", dict(raw=b"nonsense\r\n\r\n"))]


@pytest.mark.parametrize("name,failure", FAILURES, ids=[f[0] for f in FAILURES])
def test_stale_if_the_origin_fails(site, name, failure):
    site.origin.on("/s", headers={"Cache-Control": "max-age=1"}, body=b"good")
    site.get("/s")
    time.sleep(1.2)
    site.origin.on("/s", **failure)
    reply = site.get("/s")
    assert (reply.status, reply.body) == (200, b"good")
    assert "detail=ORIGIN-" in reply.cache_status or reply.is_hit


@pytest.mark.parametrize("directive", ["must-revalidate", "proxy-revalidate", "s-maxage=1", "no-cache"])
def test_never_stale_against_the_origins_word(site, directive):
    site.origin.on("/s", headers={"Cache-Control": f"max-age=1, {directive}", "ETag": '"1"'}, body=b"good")
    site.get("/s")
    time.sleep(1.2)
    site.origin.on("/s", status=503)
    assert site.get("/s").status == 503


def test_back_off_after_a_failure(site):
    """A failing origin is not asked again for each visitor."""
    site.origin.on("/s", headers={"Cache-Control": "max-age=1"}, body=b"good")
    site.get("/s")
    time.sleep(1.2)
    site.origin.on("/s", status=500)
    before = site.origin.count("/s")
    for _ in range(20):
        assert site.get("/s").body == b"good"
    assert site.origin.count("/s") - before <= 2


def test_the_key_is_host_scheme_and_target(site):
    make_pair(site.certs, "site")
    site.origin.on("/k", headers={"Cache-Control": "max-age=60"}, body=b"x")
    site.get("/k?a=1")
    assert site.get("/k?a=1").is_hit
    assert not site.get("/k?a=2").is_hit
    wait_for(lambda: site.json("cert", "list")["pairs"])
    with site.connect_tls() as c:
        assert not c.request("/k?a=1").is_hit
        assert c.request("/k?a=1").is_hit


def test_tags_and_targeted_fields_stay_here(site):
    site.origin.on("/t", headers={"CDN-Cache-Control": "max-age=60", "Cache-Tag": "a", "Surrogate-Key": "b c",
                                  "Cache-Control": "max-age=5"}, body=b"x")
    for _ in range(2):
        reply = site.get("/t")
        assert reply.get("CDN-Cache-Control") is None and reply.get("Cache-Tag") is None
        assert reply.get("Surrogate-Key") is None and reply.get("Cache-Control") == "max-age=5"


def test_cache_deception(site):
    site.origin.on("/account/x.css", headers={"Content-Type": "text/html", "Last-Modified": past(100000)}, body=b"secret")
    site.get("/account/x.css")
    assert not site.get("/account/x.css").is_hit


def test_an_upstream_cache_stays_in_front(site):
    site.origin.on("/u", headers={"Cache-Control": "max-age=60", "Cache-Status": "upstream; hit"}, body=b"x")
    assert site.get("/u").cache_status.startswith("upstream; hit, torhaus; fwd=uri-miss")
