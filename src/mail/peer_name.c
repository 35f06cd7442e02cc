/*
 * The name of the peer's address, for backends that are told of the peer by XCLIENT: they do not
 * look it up themselves then, and reject_unknown_client_hostname there refuses whoever has none.
 *
 * As Postfix has it: the name is one that has the address in turn, the reverse name is any. What
 * fails for a time is told as such, so that the backend puts off (450) and does not refuse (550).
 */
#include "dns/resolver.h"
#include "mail/mail_priv.h"

#define PATIENCE_MS 4000 /* for the address's name and for that name's addresses */

static const char none[] = "[UNAVAILABLE]", not_now[] = "[TEMPUNAVAIL]";

static void look_up(struct mail_session *s)
{
	char name[DNS_NAME_TEXT_SIZE];
	bool confirmed;
	int r = dns_reverse(&s->conn->peer, deadline_in(PATIENCE_MS), name, &confirmed);
	const char *otherwise = r < 0 ? not_now : none;

	s->name = mem_text(confirmed ? name : otherwise);
	s->reverse_name = mem_text(name[0] ? name : otherwise);
}

void find_peer_name(struct mail_session *s, struct span *ret_name, struct span *ret_reverse_name)
{
	if (!s->name)
		look_up(s);
	*ret_name = span_of(s->name);
	*ret_reverse_name = span_of(s->reverse_name);
}
