/*
 * Values: from text to the type that the schema names, and how a right one looks.
 *
 * Presets go the same way as values from a file, so a preset that would be refused there is
 * an error of ours and stops the program in its first test.
 */
#include "conf/conf_priv.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/fmt.h"
#include "base/mem.h"

const char value_too_long[] = "the list is too long|die Liste ist zu lang";

static const char *set_bool(struct span text, bool *place)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (unsigned i = 0; i < array_len(words); i++)
		if (span_eq_nocase(text, span_of(words[i]))) {
			*place = i % 2;
			return NULL;
		}
	return "it is neither true nor false|es ist weder true noch false";
}

static const char *set_enum(const struct conf_key *key, struct span text, unsigned *place)
{
	for (unsigned i = 0; key->choices[i]; i++)
		if (span_eq(text, span_of(key->choices[i]))) {
			*place = i;
			return NULL;
		}
	return "there is no such choice|diese Wahl gibt es nicht";
}

static const char *set_number(const struct conf_key *key, struct span text, uint64_t *place)
{
	uint64_t v = 0;
	int r;

	if (key->type == CONF_UINT)
		r = span_to_u64(text, &v);
	else if (key->type == CONF_DURATION)
		r = fmt_parse_duration_ms(text, &v);
	else
		r = fmt_parse_size(text, &v);
	if (r == -ERANGE || (r == 0 && key->max && v > key->max))
		return "it is too large|es ist zu groß";
	if (r < 0)
		return key->type == CONF_UINT        ? "it is not a number|es ist keine Zahl"
			: key->type == CONF_DURATION ? "it is not a duration|es ist keine Dauer"
						     : "it is not a size|es ist keine Größe";
	if (v < key->min)
		return "it is too small|es ist zu klein";
	*place = v;
	return NULL;
}

static const char *set_text(const struct conf_key *key, struct span text, struct span *place, struct arena *a)
{
	const char *why = key->judge ? key->judge(text) : NULL;

	if (!why)
		*place = arena_span(a, text);
	return why;
}

const char *value_add(const struct conf_key *key, struct span text, struct conf_list *list, struct arena *a)
{
	struct span value;
	const char *why;

	if (list->n >= (key->max ? key->max : CONF_LIST_MAX))
		return value_too_long;
	why = set_text(key, text, &value, a);
	if (why)
		return why;
	/* Full whenever n is a power of two. */
	if ((list->n & (list->n - 1)) == 0) {
		struct span *grown = arena_array(a, struct span, list->n ? list->n * 2 : 1);

		if (list->n)
			memcpy(grown, list->v, list->n * sizeof(*grown));
		list->v = grown;
	}
	list->v[list->n++] = value;
	return NULL;
}

const char *value_set(const struct conf_key *key, struct span text, void *place, struct arena *a)
{
	switch (key->type) {
	case CONF_TEXT:
		if (text.n == 0 && !key->preset) {
			*(struct span *)place = (struct span){ "", 0 };
			return NULL;
		}
		return set_text(key, text, place, a);
	case CONF_LIST:
		*(struct conf_list *)place = (struct conf_list){ NULL };
		return value_add(key, text, place, a);
	case CONF_BOOL:
		return set_bool(text, place);
	case CONF_UINT:
	case CONF_DURATION:
	case CONF_SIZE:
		return set_number(key, text, place);
	case CONF_ENUM:
		return set_enum(key, text, place);
	case CONF_SECTION:
	case CONF_TITLED:
		break;
	}
	must(!"a section has no value");
	return NULL;
}

static void preset_list(const struct conf_key *key, struct conf_list *list, struct arena *a)
{
	struct span rest = span_of(key->preset), piece;

	while (span_cut(&rest, ' ', &piece))
		must(value_add(key, piece, list, a) == NULL);
}

/* The size of what a key fills; sections are filled key by key. */
static size_t place_size(enum conf_type type)
{
	switch (type) {
	case CONF_TEXT:
		return sizeof(struct span);
	case CONF_LIST:
		return sizeof(struct conf_list);
	case CONF_BOOL:
		return sizeof(bool);
	case CONF_UINT:
	case CONF_DURATION:
	case CONF_SIZE:
		return sizeof(uint64_t);
	case CONF_ENUM:
		return sizeof(unsigned);
	case CONF_TITLED:
		return sizeof(struct conf_sections);
	case CONF_SECTION:
		break;
	}
	return 0;
}

void value_presets(const struct conf_key *keys, void *out, struct arena *a)
{
	for (const struct conf_key *key = keys; key->name; key++) {
		void *place = (char *)out + key->at;

		memset(place, 0, place_size(key->type));
		if (key->type == CONF_SECTION)
			value_presets(key->inner, place, a);
		else if (key->type == CONF_LIST && key->preset)
			preset_list(key, place, a);
		else if (key->preset)
			must(value_set(key, span_of(key->preset), place, a) == NULL);
		else if (key->type == CONF_TEXT)
			*(struct span *)place = (struct span){ "", 0 };
	}
}

/* "from 1s to 1h", "of at least 1s" behind what a number is called. */
static void add_range(const struct conf_key *key, enum fault_lang lang, struct buf *out)
{
	char min[FMT_SIZE], max[FMT_SIZE];

	if (key->type == CONF_DURATION) {
		fmt_duration(key->min, min);
		fmt_duration(key->max, max);
	} else if (key->type == CONF_SIZE) {
		fmt_size(key->min, min);
		fmt_size(key->max, max);
	} else {
		snprintf(min, sizeof(min), "%" PRIu64, key->min);
		snprintf(max, sizeof(max), "%" PRIu64, key->max);
	}
	if (key->max)
		buf_addf(out, lang == FAULT_DE ? ", von %s bis %s" : ", from %s to %s", min, max);
	else if (key->min)
		buf_addf(out, lang == FAULT_DE ? ", mindestens %s" : ", at least %s", min);
}

static void add_choices(const struct conf_key *key, struct buf *out)
{
	for (unsigned i = 0; key->choices[i]; i++)
		buf_addf(out, "%s%s", i ? ", " : "", key->choices[i]);
}

void value_wanted(const struct conf_key *key, enum fault_lang lang, struct buf *out)
{
	static const char *const looks[] = {
		[CONF_TEXT] = "one text|ein Text",
		[CONF_LIST] = "a list such as {\"a\", \"b\"}|eine Liste wie {\"a\", \"b\"}",
		[CONF_BOOL] = "true or false|true oder false",
		[CONF_UINT] = "a whole number|eine ganze Zahl",
		[CONF_DURATION] = "a duration such as 30s, 5m or 4h|eine Dauer wie 30s, 5m oder 4h",
		[CONF_SIZE] = "a size such as 64K, 50M or 2G|eine Größe wie 64K, 50M oder 2G",
		[CONF_ENUM] = "one of |eines von ",
		[CONF_SECTION] = "a section|ein Abschnitt",
		[CONF_TITLED] = "a section with a title|ein Abschnitt mit Titel",
	};

	buf_add_span(out, report_half(key->wanted ? key->wanted : looks[key->type], lang));
	if (key->type == CONF_ENUM && !key->wanted)
		add_choices(key, out);
	else if (key->type == CONF_UINT || key->type == CONF_DURATION || key->type == CONF_SIZE)
		add_range(key, lang, out);
}
