"""Purges by URL, prefix, tag, site and all, soft and hard, with a server and without."""

import threading

import pytest

from conftest import wait_for
from origin import Answer, Origin


@pytest.fixture
def shop(make_torhaus, origin):
    made = {}

    def page(request):
        made[request.target] = made.get(request.target, 0) + 1
        return Answer(headers={"Cache-Control": "max-age=600", "Cache-Tag": "page, " + request.target.split("/")[1],
                               "Surrogate-Key": "sk1 sk2"}, body=f"{request.target} {made[request.target]}".encode())

    t = make_torhaus()
    for path in ("/shop/1", "/shop/2", "/news/1"):
        origin.on(path, call=page)
    t.add("example.test", origin.url)
    t.add("other.test", origin.url)
    t.start()
    for path in ("/shop/1", "/shop/2", "/news/1"):
        t.get(path)
        t.get(path, host="other.test")
    t.origin = origin
    return t


def hits(t):
    return {(host, path) for host in ("example.test", "other.test") for path in ("/shop/1", "/shop/2", "/news/1")
            if t.get(path, host=host).is_hit}


ALL = {(h, p) for h in ("example.test", "other.test") for p in ("/shop/1", "/shop/2", "/news/1")}


def purge(t, *args):
    return t.json("cache", "purge", *args)["objects"]


@pytest.mark.parametrize("hard", [False, True])
def test_kinds(shop, hard):
    more = ["--hard"] if hard else []
    assert hits(shop) == ALL
    assert purge(shop, "--url", "http://example.test/shop/1", *more) == 1
    assert hits(shop) == ALL - {("example.test", "/shop/1")}
    assert hits(shop) == ALL, "fetched anew and stored"
    assert purge(shop, "--prefix", "http://example.test/shop/", *more) == 2
    assert hits(shop) == ALL - {("example.test", "/shop/1"), ("example.test", "/shop/2")}
    assert purge(shop, "--tag", "news", *more) == 2
    assert hits(shop) == ALL - {("example.test", "/news/1"), ("other.test", "/news/1")}
    assert purge(shop, "--tag", "sk2", *more) == 6
    assert hits(shop) == set()
    assert purge(shop, "--domain", "other.test", *more) == 3
    assert hits(shop) == {a for a in ALL if a[0] == "example.test"}
    assert purge(shop, "--all", *more) == 6
    assert hits(shop) == set()
    assert purge(shop, "--url", "http://example.test/nothing", *more) == 0
    shop.get("/shop/1")
    none = shop.run("cache", "purge", "--url", "http://example.test/shop/11", *more)
    assert "the nearest is http://example.test/shop/1" in none.stderr


def test_soft_is_still_there_when_the_origin_is_down(shop):
    purge(shop, "--url", "http://example.test/shop/1")
    purge(shop, "--url", "http://example.test/shop/2", "--hard")
    shop.origin.stop()
    assert shop.get("/shop/1").status == 200
    assert shop.get("/shop/2").status == 502


def test_a_purge_wins_over_a_fetch_in_flight(shop):
    for hard in ([], ["--hard"]):
        for args in (["--url", "http://example.test/slow"], ["--domain", "example.test"], ["--all"],
                     ["--prefix", "http://example.test/"]):
            shop.origin.on("/slow", headers={"Cache-Control": "max-age=600"}, body=b"before", delay=0.7)
            asked = shop.origin.count("/slow")
            fetch = threading.Thread(target=shop.get, args=("/slow",))
            fetch.start()
            wait_for(lambda: shop.origin.count("/slow") == asked + 1)
            purge(shop, *args, *hard)
            fetch.join()
            shop.origin.on("/slow", headers={"Cache-Control": "max-age=600"}, body=b"after")
            assert shop.get("/slow").body == b"after", (args, hard)
            purge(shop, "--url", "http://example.test/slow", "--hard")


def test_without_a_server(shop):
    shop.stop()
    done = shop.run("cache", "purge", "--all")
    assert "start" in done.stdout + done.stderr


def test_usage(shop):
    assert shop.run("cache", "purge", check=False).returncode == 2
    assert shop.run("cache", "purge", "--all", "--tag", "x", check=False).returncode == 2
    assert shop.run("cache", "purge", "--url", "no-url", check=False).returncode in (1, 2)
    assert shop.json("cache", "stat", "--domain", "example.test")["objects"] == 3


def test_wordpress(make_torhaus, origin):
    """The preset: visitors who are somebody pass by, marketing parameters do not count, plug-ins purge."""
    t = make_torhaus()
    t.add("blog.test", origin.url, "--preset", "wordpress")
    t.start()
    for path in ("/", "/wp-admin/index.php", "/cart/", "/blog/wp-login.php", "/checkout"):
        origin.on(path, headers={"Content-Type": "text/html", "Cache-Control": "max-age=99999999"} if path != "/" else
                  {"Content-Type": "text/html"}, body=b"page")

    def ask(path="/", **headers):
        return t.get(path, host="blog.test", headers={k.replace("_", "-"): v for k, v in headers.items()})

    ask()
    assert ask().is_hit and ask("/?utm_source=x&fbclid=y").is_hit, "HTML without freshness is kept for a while"
    assert not ask("/?s=search").is_hit
    for cookie in ("wordpress_logged_in_abc=1", "wordpress_0123abcdef=1", "wordpress_sec_x=1", "wp-postpass_x=1",
                   "comment_author_x=1", "woocommerce_items_in_cart=1", "woocommerce_cart_hash=1",
                   "wp_woocommerce_session_x=1", "wordpress_no_cache=1"):
        assert not ask(Cookie=f"a=b; {cookie}").is_hit, cookie
    assert ask(Cookie="wordpress_test_cookie=1; _ga=2").is_hit
    for path in ("/wp-admin/index.php", "/cart/", "/blog/wp-login.php", "/checkout"):
        ask(path)
        assert not ask(path).is_hit, path
    assert t.get("/", host="blog.test", method="PURGE").status == 200
    assert not ask().is_hit
    t.add("far.test", "http://127.0.0.9:80", "--preset", "wordpress")
    wait_for(lambda: t.site_is_known("far.test"))
    refused = t.get("/", host="far.test", method="PURGE")
    assert refused.status == 403 and b"WEB-PURGE-FORBIDDEN" in refused.body, "only the origin's own address may"
    t.add("plain.test", origin.url)
    wait_for(lambda: t.site_is_known("plain.test"))
    origin.on("/", status=405)
    assert t.get("/", host="plain.test", method="PURGE").status == 405, "elsewhere PURGE is the origin's business"


def test_a_removed_domain_leaves_no_pages(make_torhaus):
    """Removed, and back for another customer, also within the second in which nobody looks; an origin that moves."""
    with Origin() as old, Origin() as new:
        for o, text in ((old, b"the former's"), (new, b"the new one's")):
            o.default = Answer(headers={"Cache-Control": "max-age=600", "ETag": '"1"'}, body=text)
        t = make_torhaus(threads=1)
        t.add("shop.test", old.url)
        t.add("moving.test", old.url)
        t.start()
        for host in ("shop.test", "moving.test"):
            assert t.get("/", host=host).body == b"the former's" and t.get("/", host=host).is_hit
        t.run("domain", "set", "moving.test", "--origin", new.url)
        t.run("domain", "remove", "shop.test")
        t.add("shop.test", new.url)
        wait_for(lambda: t.get("/", host="moving.test").body == b"the new one's", what="pages of the new origin")
        assert new.last("/").get("If-None-Match") is None, "what the old one sent is not asked about"
        # Until it is known again there is none of that name; the former's page never comes.
        seen = []
        wait_for(lambda: seen.append(t.get("/", host="shop.test").body) or seen[-1] == b"the new one's", what="the new one")
        assert b"the former's" not in seen
        new.stop()
        t.run("domain", "remove", "shop.test")
        t.add("shop.test", old.url)
        wait_for(lambda: t.get("/", host="shop.test").body == b"the former's", what="pages of the first again")
