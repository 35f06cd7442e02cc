/* A schema with every type, for the tests of conf/ and its fuzz target. */
#pragma once
#include "base/mem.h"
#include "conf/conf.h"

struct web {
	struct conf_list listen;
	uint64_t size, wait;
	bool redirect;
};
struct site {
	struct span origin;
	uint64_t weight;
	struct conf_list names;
};
struct sample {
	struct span store, user;
	uint64_t threads;
	unsigned access;
	struct web web;
	struct conf_sections sites;
};

static inline const char *judge_port(struct span value)
{
	return span_index(value, ':') < 0 ? "it has no port|es hat keinen Port" : NULL;
}

static const char *const access_choices[] = { "json", "combined", "off", NULL };
static const struct conf_key web_keys[] = {
	{ "listen", CONF_LIST, offsetof(struct web, listen), "0.0.0.0:80 [::]:80", .judge = judge_port,
		.wanted = "an address such as 0.0.0.0:80|eine Adresse wie 0.0.0.0:80", .help_en = "Addresses.",
		.help_de = "Adressen." },
	{ "cache_memory", CONF_SIZE, offsetof(struct web, size), "64M", .min = 1 << 20, .help_en = "Memory.",
		.help_de = "Speicher." },
	{ "wait", CONF_DURATION, offsetof(struct web, wait), "30s", .min = 1000, .max = 60000, .help_en = "Wait.",
		.help_de = "Warten." },
	{ "redirect", CONF_BOOL, offsetof(struct web, redirect), "true", .help_en = "Redirect.",
		.help_de = "Umleiten." },
	{ NULL },
};
static const struct conf_key site_keys[] = {
	{ "origin", CONF_TEXT, offsetof(struct site, origin), .judge = judge_port, .help_en = "Origin.",
		.help_de = "Ursprung." },
	{ "weight", CONF_UINT, offsetof(struct site, weight), "1", .min = 1, .max = 100, .help_en = "Weight.",
		.help_de = "Gewicht." },
	{ "names", CONF_LIST, offsetof(struct site, names), .max = 3, .help_en = "Names.", .help_de = "Namen." },
	{ NULL },
};
static const struct conf_key sample_keys[] = {
	{ "store", CONF_TEXT, offsetof(struct sample, store), "sqlite:/var/lib/x.db", .help_en = "Store.",
		.help_de = "Speicher." },
	{ "user", CONF_TEXT, offsetof(struct sample, user), .help_en = "User.", .help_de = "Benutzer." },
	{ "threads", CONF_UINT, offsetof(struct sample, threads), .max = 64, .help_en = "Threads.",
		.help_de = "Threads." },
	{ "access", CONF_ENUM, offsetof(struct sample, access), "combined", .choices = access_choices,
		.help_en = "Access log.", .help_de = "Zugriffe." },
	{ "web", CONF_SECTION, offsetof(struct sample, web), .inner = web_keys, .help_en = "Web edge.",
		.help_de = "Web-Edge." },
	{ "site", CONF_TITLED, offsetof(struct sample, sites), .inner = site_keys, .inner_size = sizeof(struct site),
		.help_en = "A site.", .help_de = "Eine Site." },
	{ NULL },
};
