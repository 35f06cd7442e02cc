/* What goes wrong with origins: part of base/fault.tbl.h (which see). */
/* clang-format off */

/* ---- origins ---- */
FAULT(ORIGIN_NONE, "ORIGIN-NONE",
	"The domain {domain} has no origin.",
	"Die Domain {domain} hat keinen Ursprungsserver.",
	"Name one: torhaus domain set {domain} --origin http://ADDRESS:PORT",
	"Einen nennen: torhaus domain set {domain} --origin http://ADRESSE:PORT")
FAULT(ORIGIN_NAME_UNKNOWN, "ORIGIN-NAME-UNKNOWN",
	"The name of the origin {origin} cannot be resolved ({name}).",
	"Der Name des Ursprungsservers {origin} lässt sich nicht auflösen ({name}).",
	"Correct the name, or write the origin's address instead; check the resolver of this machine (getent ahosts {name}).",
	"Den Namen berichtigen oder die Adresse angeben; den Resolver dieser Maschine prüfen (getent ahosts {name}).")
FAULT(ORIGIN_REFUSED, "ORIGIN-REFUSED",
	"The origin {origin} refuses connections: nothing listens there.",
	"Der Ursprungsserver {origin} lehnt Verbindungen ab: Dort lauscht niemand.",
	"Start the web server there, or correct address and port (torhaus domain show).",
	"Den Webserver dort starten oder Adresse und Port berichtigen (torhaus domain show).")
FAULT(ORIGIN_UNREACHABLE, "ORIGIN-UNREACHABLE",
	"The origin {origin} cannot be reached: {error}.",
	"Der Ursprungsserver {origin} ist nicht erreichbar: {error}.",
	"Check route and firewall between this machine and the origin.",
	"Route und Firewall zwischen dieser Maschine und dem Ursprungsserver prüfen.")
FAULT(ORIGIN_CONNECT_TIMEOUT, "ORIGIN-CONNECT-TIMEOUT",
	"The origin {origin} does not answer the attempt to connect.",
	"Der Ursprungsserver {origin} antwortet nicht auf den Verbindungsversuch.",
	"See whether the machine is up and whether a firewall drops the packets; connect_timeout says how long we wait.",
	"Nachsehen, ob die Maschine läuft und ob eine Firewall die Pakete verwirft; connect_timeout sagt, wie lange gewartet wird.")
FAULT(ORIGIN_TLS_FAILED, "ORIGIN-TLS-FAILED",
	"TLS with the origin {origin} failed ({code}): {error}; expected a certificate for {name}.",
	"TLS mit dem Ursprungsserver {origin} ist gescheitert ({code}): {error}; erwartet wird ein Zertifikat für {name}.",
	"Give the origin a certificate valid for {name}, or set origin_verify = false if the way there is trusted.",
	"Dem Ursprungsserver ein für {name} gültiges Zertifikat geben, oder origin_verify = false setzen, wenn der Weg dorthin vertrauenswürdig ist.")
FAULT(ORIGIN_SILENT, "ORIGIN-SILENT",
	"The origin {origin} took the request and did not answer in time.",
	"Der Ursprungsserver {origin} hat die Anfrage angenommen und nicht rechtzeitig geantwortet.",
	"Look at the load and the logs there; first_byte_timeout says how long we wait.",
	"Last und Protokolle dort ansehen; first_byte_timeout sagt, wie lange gewartet wird.")
FAULT(ORIGIN_BROKE_OFF, "ORIGIN-BROKE-OFF",
	"The origin {origin} closed the connection without an answer: {error}.",
	"Der Ursprungsserver {origin} hat die Verbindung ohne Antwort geschlossen: {error}.",
	"Look for a crash in the origin's error log.",
	"Im Fehlerprotokoll des Ursprungsservers nach einem Absturz suchen.")
FAULT(ORIGIN_BAD_RESPONSE, "ORIGIN-BAD-RESPONSE",
	"The origin {origin} answers with something that is not valid HTTP ({code}): {what}.",
	"Der Ursprungsserver {origin} antwortet mit etwas, das kein gültiges HTTP ist ({code}): {what}.",
	"See that an HTTP server listens there and that its response framing is right; ambiguous answers are not passed on.",
	"Prüfen, ob dort ein HTTP-Server lauscht und seine Antwort richtig gerahmt ist; mehrdeutige Antworten werden nicht weitergegeben.")
FAULT(ORIGIN_BODY_STALLED, "ORIGIN-BODY-STALLED",
	"The origin {origin} stopped sending in the middle of its answer.",
	"Der Ursprungsserver {origin} hat mitten in seiner Antwort aufgehört zu senden.",
	"Look at the load there; read_timeout says how long we wait between two pieces.",
	"Die Last dort ansehen; read_timeout sagt, wie lange zwischen zwei Stücken gewartet wird.")
FAULT(ORIGIN_BODY_BROKE_OFF, "ORIGIN-BODY-BROKE-OFF",
	"The answer of the origin {origin} broke off before its end: {error}.",
	"Die Antwort des Ursprungsservers {origin} brach vor ihrem Ende ab: {error}.",
	"Look for a crash or a time limit in the origin's error log.",
	"Im Fehlerprotokoll des Ursprungsservers nach Absturz oder Zeitgrenze suchen.")
FAULT(ORIGIN_UNHEALTHY, "ORIGIN-UNHEALTHY",
	"The origin {origin} answers its health check {path} with {status}.",
	"Der Ursprungsserver {origin} beantwortet die Prüfung {path} mit {status}.",
	"See why the page fails there, or name another health_path.",
	"Nachsehen, warum die Seite dort scheitert, oder einen anderen health_path angeben.")
FAULT(ORIGIN_SERVER_ERROR, "ORIGIN-SERVER-ERROR",
	"The origin {origin} answered with {status}.",
	"Der Ursprungsserver {origin} hat mit {status} geantwortet.",
	"Look into the origin's error log.",
	"Ins Fehlerprotokoll des Ursprungsservers sehen.")
FAULT(ORIGIN_LOOP, "ORIGIN-LOOP",
	"The request for {host} came back to us: the origin of {domain} leads to this torhaus.",
	"Die Anfrage für {host} kam zu uns zurück: Der Ursprungsserver von {domain} führt zu diesem torhaus.",
	"Set the origin to the address of the web server itself: torhaus domain set {domain} --origin http://ADDRESS:PORT",
	"Als Ursprungsserver die Adresse des Webservers selbst angeben: torhaus domain set {domain} --origin http://ADRESSE:PORT")
/* clang-format on */
