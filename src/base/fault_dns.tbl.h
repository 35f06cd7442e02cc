/* What `torhaus dns` finds, and what the resolver tells of its upstreams: part of base/fault.tbl.h
 * (which see). */
/* clang-format off */

/* ---- this server ---- */
FAULT(DNS_OFF, "DNS-OFF",
	"The DNS edge is off: names.listen is empty.",
	"Die DNS-Edge ist aus: names.listen ist leer.",
	"Write names { listen = {\"127.0.0.1:53\"} } into torhaus.conf and run `torhaus reload`.",
	"In torhaus.conf names { listen = {\"127.0.0.1:53\"} } schreiben und `torhaus reload` ausführen.")
FAULT(DNS_NO_ANSWER, "DNS-NO-ANSWER",
	"{server} gave no answer by {transport}: {error}.",
	"{server} gab über {transport} keine Antwort: {error}.",
	"See with `torhaus status` whether the server runs and listens there, and whether a packet filter drops port 53 between here and there.",
	"Mit `torhaus status` nachsehen, ob der Server läuft und dort lauscht, und ob ein Paketfilter auf dem Weg dorthin Port 53 verwirft.")
FAULT(DNS_NOT_ALLOWED, "DNS-NOT-ALLOWED",
	"{server} refuses questions from this machine, so the names could not be compared.",
	"{server} lehnt Fragen von dieser Maschine ab, die Namen waren darum nicht vergleichbar.",
	"Add this machine's address (127.0.0.0/8, ::1) to names.allow.",
	"Die Adresse dieser Maschine (127.0.0.0/8, ::1) in names.allow aufnehmen.")
FAULT(DNS_NAME_DIFFERS, "DNS-NAME-DIFFERS",
	"{name} {type} is answered with {got}, but the store has {want} for {domain}.",
	"{name} {type} wird mit {got} beantwortet, im Store steht für {domain} aber {want}.",
	"`torhaus doctor` tells whether the server can read its store; if it can, `torhaus reload`.",
	"`torhaus doctor` sagt, ob der Server seinen Store lesen kann; wenn ja, `torhaus reload`.")
FAULT(DNS_HOST_FAILS, "DNS-HOST-FAILS",
	"The origin {host} of {domain} cannot be looked up: {error}.",
	"Der Ursprungsserver {host} von {domain} lässt sich nicht nachschlagen: {error}.",
	"Correct the name in the domain's origin, or see with `torhaus dns query {host}` what the resolvers say of it; other origins of the domain are answered meanwhile.",
	"Den Namen im origin der Domain berichtigen oder mit `torhaus dns query {host}` nachsehen, was die Resolver dazu sagen; bis dahin werden die übrigen Ursprungsserver der Domain genannt.")

/* ---- upstreams ---- */
FAULT(DNS_UPSTREAM_SILENT, "DNS-UPSTREAM-SILENT",
	"The upstream {server} does not answer by {transport}: {error}.",
	"Der Upstream {server} antwortet über {transport} nicht: {error}.",
	"See whether it runs, and whether UDP and TCP port 53 are open from here to there; long answers need TCP. The other upstreams are used meanwhile.",
	"Nachsehen, ob er läuft und ob von hier dorthin UDP und TCP auf Port 53 offen sind; lange Antworten brauchen TCP. Bis dahin dienen die übrigen Upstreams.")
FAULT(DNS_UPSTREAM_ELSEWHERE, "DNS-UPSTREAM-ELSEWHERE",
	"The upstream {server} answers, but from {peer}: such answers count as forged (RFC 5452).",
	"Der Upstream {server} antwortet, aber von {peer} aus: Solche Antworten gelten als gefälscht (RFC 5452).",
	"Let it answer from the address that was asked (unbound: interface-automatic, BIND: listen-on its addresses), or write {peer} into names.forward.",
	"Ihn von der gefragten Adresse aus antworten lassen (unbound: interface-automatic, BIND: listen-on mit seinen Adressen) oder {peer} in names.forward schreiben.")
FAULT(DNS_UPSTREAM_NO_EDNS, "DNS-UPSTREAM-NO-EDNS",
	"The upstream {server} answers only what is asked without EDNS: questions with an OPT record get no answer.",
	"Der Upstream {server} antwortet nur auf Fragen ohne EDNS: Fragen mit OPT-Record bleiben ohne Antwort.",
	"See whether a packet filter on the way drops them (RFC 6891 has been the rule since 2013), or take another upstream.",
	"Nachsehen, ob ein Paketfilter auf dem Weg sie verwirft (RFC 6891 gilt seit 2013), oder einen anderen Upstream nehmen.")
FAULT(DNS_UPSTREAM_REFUSES, "DNS-UPSTREAM-REFUSES",
	"The upstream {server} refuses to answer this machine.",
	"Der Upstream {server} lehnt es ab, dieser Maschine zu antworten.",
	"Allow this machine's address there (unbound: access-control, BIND: allow-recursion), or take another upstream.",
	"Dort die Adresse dieser Maschine zulassen (unbound: access-control, BIND: allow-recursion) oder einen anderen Upstream nehmen.")
FAULT(DNS_UPSTREAM_FAILS, "DNS-UPSTREAM-FAILS",
	"The upstream {server} answers {rcode} even when asked for the root.",
	"Der Upstream {server} antwortet {rcode}, sogar auf die Frage nach der Wurzel.",
	"Its own way to the DNS is broken, or it is no resolver: see its log, or take another upstream.",
	"Sein eigener Weg ins DNS ist gestört, oder er ist kein Resolver: sein Protokoll ansehen oder einen anderen Upstream nehmen.")
FAULT(DNS_UPSTREAM_NO_RECURSION, "DNS-UPSTREAM-NO-RECURSION",
	"The upstream {server} offers no recursion: it answers only for zones of its own.",
	"Der Upstream {server} bietet keine Rekursion an: Er antwortet nur für eigene Zonen.",
	"Name a resolver in names.forward, such as the one of your network.",
	"In names.forward einen Resolver nennen, etwa den des eigenen Netzes.")
FAULT(DNS_UPSTREAM_SLOW, "DNS-UPSTREAM-SLOW",
	"The upstream {server} took {time} to answer.",
	"Der Upstream {server} brauchte {time} für eine Antwort.",
	"After 250 ms the next upstream is asked beside it; put a nearer one first in names.forward.",
	"Nach 250 ms wird der nächste Upstream mitgefragt; einen näheren an die erste Stelle von names.forward setzen.")
FAULT(DNS_UPSTREAM_LOOPS, "DNS-UPSTREAM-LOOPS",
	"The upstream {server} answers for {name} with this server's own words: it is this server, or asks it.",
	"Der Upstream {server} antwortet für {name} mit den Worten dieses Servers: Er ist dieser Server oder fragt ihn.",
	"Take it out of names.forward, unless it asks torhaus for these domains only and other servers for the rest.",
	"Ihn aus names.forward nehmen, außer wenn er torhaus nur nach diesen Domains fragt und nach dem Rest andere.")
FAULT(DNS_UPSTREAM_DOWN, "DNS-UPSTREAM-DOWN",
	"The upstream {server} cannot be reached: {error}.",
	"Der Upstream {server} ist nicht erreichbar: {error}.",
	"Start it, or correct its address in names.forward. The other upstreams are used meanwhile, and answers that are kept.",
	"Ihn starten oder seine Adresse in names.forward berichtigen. Bis dahin dienen die übrigen Upstreams und gemerkte Antworten.")
FAULT(DNS_UPSTREAM_SELF, "DNS-UPSTREAM-SELF",
	"The upstream {server} is this server itself: a question that went there came back here.",
	"Der Upstream {server} ist dieser Server selbst: Eine Frage, die dorthin ging, kam hier wieder an.",
	"Name other resolvers in names.forward; this one is asked no more.",
	"In names.forward andere Resolver nennen; dieser wird nicht mehr gefragt.")
FAULT(DNS_FORWARD_LOOP, "DNS-FORWARD-LOOP",
	"Questions to the upstream {server} come back to this server: {peer} sends them here.",
	"Fragen an den Upstream {server} kommen zu diesem Server zurück: {peer} schickt sie hierher.",
	"Take {server} out of names.forward, or let the resolver at {peer} forward elsewhere than here; until then it is asked no more.",
	"{server} aus names.forward nehmen oder den Resolver bei {peer} anderswohin weiterleiten lassen; bis dahin wird er nicht mehr gefragt.")
/* clang-format on */
