/*
 * Error pages: little for the visitor, everything for the log.
 *
 * The page says what kind of trouble it is in one sentence (in German if the browser prefers it),
 * the code and a reference; the log line with the same reference has evidence, cause and remedy.
 */
#include <inttypes.h>
#include <stdio.h>
#include "base/log.h"
#include "base/rand.h"
#include "web/web_priv.h"

#define RETRY_AFTER_S "10"

static const struct {
	unsigned status;
	const char *title[2], *text[2];
} kinds[] = {
	{ 400, { "Bad request", "Fehlerhafte Anfrage" },
		{ "The request did not arrive whole.", "Die Anfrage kam nicht vollständig an." } },
	{ 403, { "Forbidden", "Nicht erlaubt" },
		{ "This is not allowed from here.", "Das ist von hier aus nicht erlaubt." } },
	{ 405, { "Method not allowed", "Methode nicht erlaubt" },
		{ "This method is not available here.", "Diese Methode gibt es hier nicht." } },
	{ 408, { "Too slow", "Zu langsam" },
		{ "The rest of what you sent did not arrive in time.",
			"Der Rest des Gesendeten kam nicht rechtzeitig an." } },
	{ 413, { "Too large", "Zu groß" },
		{ "What you sent is larger than this site accepts.",
			"Das Gesendete ist größer, als diese Seite annimmt." } },
	{ 421, { "No such site", "Unbekannte Seite" },
		{ "There is no site of this name here.", "Eine Seite dieses Namens gibt es hier nicht." } },
	{ 502, { "Site not reachable", "Seite nicht erreichbar" },
		{ "The site cannot answer at the moment. Please try again in a minute.",
			"Die Seite kann gerade nicht antworten. Bitte in einer Minute erneut versuchen." } },
	{ 503, { "Site not available", "Seite nicht verfügbar" },
		{ "The site is not available at the moment.", "Die Seite ist zurzeit nicht verfügbar." } },
	{ 504, { "Site too slow", "Seite antwortet nicht" },
		{ "The site did not answer in time. Please try again in a minute.",
			"Die Seite hat nicht rechtzeitig geantwortet. Bitte in einer Minute erneut versuchen." } },
	{ 508, { "Loop", "Schleife" },
		{ "The site is not set up completely.", "Die Seite ist nicht fertig eingerichtet." } },
};

static enum fault_lang language(const struct http_req *req)
{
	struct span wanted = http_fields_value(&req->fields, HTTP_ACCEPT_LANGUAGE);

	return span_starts_nocase(wanted, SPAN("de")) ? FAULT_DE : FAULT_EN;
}

static struct span page_body(struct web_request *r, unsigned status, const char *code, const char *ref)
{
	enum fault_lang lang = language(&r->x->req);
	unsigned i = 0;

	while (i < array_len(kinds) - 1 && kinds[i].status != status)
		i++;
	return arena_spanf(r->x->arena,
		"<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>"
		"<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}"
		"small{color:#666}</style></head>\n<body><h1>%s</h1><p>%s</p><p><small>%s · %s</small></p></body></html>\n",
		lang == FAULT_DE ? "de" : "en", kinds[i].title[lang], kinds[i].title[lang], kinds[i].text[lang], code,
		ref);
}

void web_log_fault(const struct web_asked *q, const char *event, struct fault *fault, const char *ref)
{
	const struct http_req *req = q->req;
	char client[NET_ADDR_SIZE];

	net_addr_host_text(q->client, client);
	if (ref)
		fault_fact(fault, "ref", "%s", ref);
	fault_fact(fault, "url", "%s://%.*s%.*s", req->tls ? "https" : "http", SPAN_ARG(req->host),
		SPAN_ARG(span_sub(req->target, 0, 200)));
	fault_fact(fault, "client", "%s", client);
	log_fault_rated(LOG_LEVEL_WARNING, "web", event, fault);
}

static void send_page(struct web_request *r, unsigned status, struct span body, struct http_fields *fields)
{
	struct http_exchange *x = r->x;
	struct iovec iov = { (void *)body.p, body.n };

	http_fields_add(fields, x->arena, HTTP_CACHE_CONTROL, SPAN("no-store"));
	if (x->ops->send_head(x, status, fields, (int64_t)body.n) < 0)
		return;
	if (x->req.method != HTTP_HEAD && x->ops->send_body(x, &iov, 1) < 0)
		return;
	x->ops->finish(x, NULL);
}

void web_page(struct web_request *r, unsigned status, struct fault *fault)
{
	struct http_exchange *x = r->x;
	struct http_fields fields = { 0 };
	const char *code = fault_code_text(fault->code);
	char ref[20];

	snprintf(ref, sizeof(ref), "%012" PRIx64, rand_fast() >> 16);
	r->code = fault->code;
	web_log_fault(&r->asked, "refused", fault, ref);
	if (x->head_sent) {
		x->ops->abort(x);
		return;
	}
	stat_add(STAT_FAULT_PAGES, 1);
	if (r->stats)
		site_stat_add(r->stats, SITE_FAILED, 1);
	http_fields_add(&fields, x->arena, HTTP_CONTENT_TYPE, SPAN("text/html; charset=utf-8"));
	if (status == 405)
		http_fields_add_name(&fields, x->arena, SPAN("Allow"),
			SPAN("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"));
	if (status >= 502 && status <= 504)
		http_fields_add(&fields, x->arena, HTTP_RETRY_AFTER, SPAN(RETRY_AFTER_S));
	send_page(r, status, page_body(r, status, code, ref), &fields);
}

void web_answer_text(struct web_request *r, unsigned status, struct span text)
{
	struct http_fields fields = { 0 };

	http_fields_add(&fields, r->x->arena, HTTP_CONTENT_TYPE, SPAN("text/plain; charset=utf-8"));
	send_page(r, status, text, &fields);
}

void web_redirect(struct web_request *r, unsigned status, struct span location)
{
	struct http_fields fields = { 0 };

	http_fields_add(&fields, r->x->arena, HTTP_LOCATION, location);
	send_page(r, status, (struct span){ 0 }, &fields);
}
