/* Requests that are refused, messages that are no HTTP: part of base/fault.tbl.h (which see). */
/* clang-format off */

/* ---- requests ---- */
FAULT(WEB_NO_SUCH_SITE, "WEB-NO-SUCH-SITE",
	"No domain has the web name {host}.",
	"Keine Domain hat den Webnamen {host}.",
	"If it is a customer's: torhaus domain add {host} --origin http://ADDRESS:PORT",
	"Falls es eine Kundendomain ist: torhaus domain add {host} --origin http://ADRESSE:PORT")
FAULT(WEB_METHOD_REFUSED, "WEB-METHOD-REFUSED",
	"The method {method} is not passed on.",
	"Die Methode {method} wird nicht weitergereicht.",
	"None: CONNECT and TRACE have no place at a reverse proxy.",
	"Keine: CONNECT und TRACE haben an einem Reverse-Proxy nichts verloren.")
FAULT(WEB_BODY_TOO_LARGE, "WEB-BODY-TOO-LARGE",
	"The request's body exceeds the limit of {limit} for {domain}.",
	"Der Rumpf der Anfrage überschreitet die Grenze von {limit} für {domain}.",
	"If uploads of that size are wanted: torhaus domain set {domain} --body-max SIZE",
	"Falls so große Uploads erwünscht sind: torhaus domain set {domain} --body-max GRÖSSE")
FAULT(CLIENT_BODY_BROKE_OFF, "CLIENT-BODY-BROKE-OFF",
	"The visitor's upload broke off: {error}.",
	"Der Upload des Besuchers brach ab: {error}.",
	"None: the visitor tries again.",
	"Keine: Der Besucher versucht es erneut.")
FAULT(WEB_NO_PROXY_HEADER, "WEB-NO-PROXY-HEADER",
	"A connection from {client}, an address in web.proxy_from, did not begin with a PROXY protocol header in time; it was closed without a word.",
	"Eine Verbindung von {client}, einer Adresse aus web.proxy_from, begann nicht rechtzeitig mit einem PROXY-Header; sie wurde wortlos geschlossen.",
	"Switch the PROXY protocol on at the load balancer (HAProxy: send-proxy-v2, nginx: proxy_protocol on), or take its address out of web.proxy_from.",
	"Das PROXY-Protokoll beim Load-Balancer einschalten (HAProxy: send-proxy-v2, nginx: proxy_protocol on) oder seine Adresse aus web.proxy_from nehmen.")
FAULT(WEB_ONLY_IF_CACHED, "WEB-ONLY-IF-CACHED",
	"The request wants a stored answer only (Cache-Control: only-if-cached), and there is none.",
	"Die Anfrage will nur eine gespeicherte Antwort (Cache-Control: only-if-cached), und es gibt keine.",
	"None: the visitor asked for this.",
	"Keine: Der Besucher wollte es so.")
FAULT(WEB_UPGRADE_REFUSED, "WEB-UPGRADE-REFUSED",
	"The origin {origin} did not switch protocols; it answered {status}.",
	"Der Ursprungsserver {origin} hat das Protokoll nicht gewechselt; er antwortete {status}.",
	"See that the origin offers WebSocket at this address.",
	"Prüfen, ob der Ursprungsserver unter dieser Adresse WebSocket anbietet.")
FAULT(WEB_BUSY, "WEB-BUSY",
	"There are more tasks under way than this worker may have.",
	"Es sind mehr Vorgänge unterwegs, als dieser Arbeitsprozess haben darf.",
	"Look for an attack or a slow origin in `torhaus status`; more threads or machines help against honest load.",
	"In `torhaus status` nach einem Angriff oder einem langsamen Ursprungsserver suchen; gegen ehrliche Last helfen mehr Threads oder Maschinen.")
FAULT(WEB_PURGE_FORBIDDEN, "WEB-PURGE-FORBIDDEN",
	"A PURGE came from {client}, which is no origin of {domain}.",
	"Ein PURGE kam von {client}; das ist kein Ursprungsserver von {domain}.",
	"Purge from the site's origin (preset wordpress), or with torhaus cache purge.",
	"Vom Ursprungsserver der Site leeren (Voreinstellung wordpress) oder mit torhaus cache purge.")
FAULT(ACCEPT_FAILED, "ACCEPT-FAILED",
	"A new connection cannot be taken: {error}.",
	"Eine neue Verbindung kann nicht angenommen werden: {error}.",
	"Raise the limit on open files (LimitNOFILE= in the unit), or find who holds so many connections.",
	"Die Grenze offener Dateien erhöhen (LimitNOFILE= in der Unit) oder herausfinden, wer so viele Verbindungen hält.")

/* ---- HTTP: messages that are refused ---- */
FAULT(HTTP_BAD_REQUEST_LINE, "HTTP-BAD-REQUEST-LINE",
	"The request line is not \"METHOD target HTTP/1.x\" with single blanks; it breaks at \"{what}\".",
	"Die Anfragezeile ist nicht \"METHODE Ziel HTTP/1.x\" mit einfachen Leerzeichen; sie bricht bei \"{what}\".",
	"This is not HTTP, or a faulty client; if it comes often, see what program speaks to this port.",
	"Das ist kein HTTP oder ein fehlerhafter Client; kommt es oft, nachsehen, welches Programm diesen Port anspricht.")
FAULT(HTTP_BAD_TARGET, "HTTP-BAD-TARGET",
	"The request target \"{what}\" is not a path, a whole URL or \"*\" without blanks, control bytes and fragment.",
	"Das Anfrageziel \"{what}\" ist kein Pfad, keine ganze URL und kein \"*\" ohne Leerzeichen, Steuerzeichen und Fragment.",
	"The client has to percent-encode blanks and leave out what follows \"#\".",
	"Der Client muss Leerzeichen prozentkodieren und weglassen, was auf \"#\" folgt.")
FAULT(HTTP_BAD_VERSION, "HTTP-BAD-VERSION",
	"The request asks for \"{what}\"; this connection speaks HTTP/1.1 and HTTP/1.0.",
	"Die Anfrage verlangt \"{what}\"; diese Verbindung spricht HTTP/1.1 und HTTP/1.0.",
	"Use a client that negotiates the version (ALPN) instead of assuming it.",
	"Einen Client verwenden, der die Version aushandelt (ALPN), statt sie vorauszusetzen.")
FAULT(HTTP_BAD_STATUS_LINE, "HTTP-BAD-STATUS-LINE",
	"The response does not begin with \"HTTP/1.x\" and a status of three digits, but with \"{what}\".",
	"Die Antwort beginnt nicht mit \"HTTP/1.x\" und einem dreistelligen Status, sondern mit \"{what}\".",
	"Check that the origin's port speaks HTTP (not HTTPS, not another protocol).",
	"Prüfen, ob der Port des Ursprungsservers HTTP spricht (nicht HTTPS, kein anderes Protokoll).")
FAULT(HTTP_BAD_LINE_END, "HTTP-BAD-LINE-END",
	"A line of the message's head does not end in CRLF (found: {what}): a bare CR or LF has more than one reading.",
	"Eine Zeile im Kopf der Nachricht endet nicht auf CRLF (gefunden: {what}): Ein einzelnes CR oder LF ist mehrdeutig.",
	"The sender has to end every line in CRLF; hand-written scripts often forget the CR.",
	"Der Sender muss jede Zeile mit CRLF beenden; selbst geschriebene Skripte vergessen oft das CR.")
FAULT(HTTP_CONTROL_BYTE, "HTTP-CONTROL-BYTE",
	"Line {line} of the message's head holds the control byte {what}.",
	"Zeile {line} im Kopf der Nachricht enthält das Steuerzeichen {what}.",
	"The sender has to encode such bytes or leave them out.",
	"Der Sender muss solche Zeichen kodieren oder weglassen.")
FAULT(HTTP_FOLDED_LINE, "HTTP-FOLDED-LINE",
	"Line {line} of the message's head begins with a blank (a folded line, obsolete since RFC 7230): \"{what}\".",
	"Zeile {line} im Kopf der Nachricht beginnt mit einem Leerzeichen (gefaltete Zeile, veraltet seit RFC 7230): \"{what}\".",
	"The sender has to write each field on one line.",
	"Der Sender muss jedes Feld auf eine Zeile schreiben.")
FAULT(HTTP_BAD_FIELD, "HTTP-BAD-FIELD",
	"Line {line} of the message's head is not a field name directly followed by a colon: \"{what}\".",
	"Zeile {line} im Kopf der Nachricht ist kein Feldname, dem direkt ein Doppelpunkt folgt: \"{what}\".",
	"The sender has to correct the field; an application that prints its own headers is the usual place.",
	"Der Sender muss das Feld berichtigen; meist ist es eine Anwendung, die eigene Kopfzeilen ausgibt.")
FAULT(HTTP_LINE_TOO_LONG, "HTTP-LINE-TOO-LONG",
	"The first line of the message is longer than {limit} bytes.",
	"Die erste Zeile der Nachricht ist länger als {limit} Bytes.",
	"Send long parameters in the body of a POST instead of in the URL.",
	"Lange Parameter im Rumpf eines POST senden statt in der URL.")
FAULT(HTTP_HEAD_TOO_LARGE, "HTTP-HEAD-TOO-LARGE",
	"The message's head has more than {limit} bytes, {fields} fields or {fields} options of Connection.",
	"Der Kopf der Nachricht hat mehr als {limit} Bytes, {fields} Felder oder {fields} Optionen in Connection.",
	"Cookies are the usual reason: let the application set fewer or smaller ones.",
	"Meist sind es Cookies: die Anwendung weniger oder kleinere setzen lassen.")
FAULT(HTTP_NO_HOST, "HTTP-NO-HOST",
	"The request has no Host field or more than one, so that no site can be picked.",
	"Die Anfrage hat kein Host-Feld oder mehrere; so lässt sich keine Site bestimmen.",
	"The client has to send exactly one Host (HTTP/1.0 clients, too); health checks often need to be told its value.",
	"Der Client muss genau ein Host senden (auch mit HTTP/1.0); Health-Checks muss man den Wert oft vorgeben.")
FAULT(HTTP_BAD_HOST, "HTTP-BAD-HOST",
	"\"{what}\" is not a host name or address with an optional port.",
	"\"{what}\" ist kein Hostname und keine Adresse mit optionalem Port.",
	"The client has to send the name in its ASCII form (xn--...), without user, path or list.",
	"Der Client muss den Namen in ASCII-Form (xn--...) senden, ohne Benutzer, Pfad oder Liste.")
FAULT(HTTP_WRONG_SCHEME, "HTTP-WRONG-SCHEME",
	"The request names \"{what}\", but the connection has the other scheme (http without, https with TLS).",
	"Die Anfrage nennt \"{what}\", die Verbindung hat aber das andere Schema (http ohne, https mit TLS).",
	"The client uses torhaus as a forward proxy or connects to the wrong port.",
	"Der Client benutzt torhaus als Forward-Proxy oder verbindet sich mit dem falschen Port.")
FAULT(HTTP_CONNECT, "HTTP-CONNECT",
	"The request is a CONNECT to \"{what}\"; torhaus is no forward proxy.",
	"Die Anfrage ist ein CONNECT zu \"{what}\"; torhaus ist kein Forward-Proxy.",
	"Nothing to do: scanners try this everywhere.",
	"Nichts zu tun: Scanner versuchen das überall.")
FAULT(HTTP_BAD_LENGTH, "HTTP-BAD-LENGTH",
	"Content-Length is not given once as a plain number: \"{what}\".",
	"Content-Length ist nicht genau einmal als einfache Zahl angegeben: \"{what}\".",
	"The sender's framing is faulty; passing it on could let one message hide in another.",
	"Die Rahmung des Senders ist fehlerhaft; weitergereicht könnte sich eine Nachricht in einer anderen verstecken.")
FAULT(HTTP_LENGTH_AND_CODING, "HTTP-LENGTH-AND-CODING",
	"The message has both Content-Length and Transfer-Encoding (\"{what}\").",
	"Die Nachricht hat sowohl Content-Length als auch Transfer-Encoding (\"{what}\").",
	"The sender has to choose one; from a client this is often an attempt at request smuggling.",
	"Der Sender muss sich für eines entscheiden; von einem Client ist das oft ein Versuch von Request-Smuggling.")
FAULT(HTTP_BAD_CODING, "HTTP-BAD-CODING",
	"Transfer-Encoding is \"{what}\"; only a single \"chunked\" is understood, and not in HTTP/1.0.",
	"Transfer-Encoding ist \"{what}\"; verstanden wird nur ein einzelnes \"chunked\", und nicht in HTTP/1.0.",
	"The sender has to send \"chunked\" or a Content-Length; from a client this is often an attempt at request smuggling.",
	"Der Sender muss \"chunked\" oder Content-Length senden; von einem Client ist das oft ein Versuch von Request-Smuggling.")
FAULT(HTTP_UNKNOWN_CODING, "HTTP-UNKNOWN-CODING",
	"The body has the transfer codings \"{what}\"; torhaus implements chunked alone.",
	"Der Rumpf hat die Transfer-Codings \"{what}\"; torhaus beherrscht nur chunked.",
	"The sender should compress with Content-Encoding instead.",
	"Der Sender sollte stattdessen mit Content-Encoding komprimieren.")
FAULT(HTTP_BAD_EXPECT, "HTTP-BAD-EXPECT",
	"The request expects \"{what}\"; the only expectation there is is 100-continue.",
	"Die Anfrage erwartet \"{what}\"; als Erwartung gibt es nur 100-continue.",
	"The client has to leave the Expect field out.",
	"Der Client muss das Feld Expect weglassen.")
FAULT(HTTP_BAD_CHUNKS, "HTTP-BAD-CHUNKS",
	"The chunks of the body are malformed, or have more extensions than content (a size is hexadecimal digits, extensions are ;name=value, then CRLF).",
	"Die Chunks des Rumpfs sind fehlerhaft oder haben mehr Erweiterungen als Inhalt (eine Größe ist hexadezimal, Erweiterungen sind ;name=wert, dann CRLF).",
	"If it comes often from one client, its program is faulty, or it tries what we take for the end of a body.",
	"Kommt es oft von einem Client, ist dessen Programm fehlerhaft, oder er probiert aus, was hier als Ende eines Rumpfs gilt.")
FAULT(HTTP_SLOW_HEAD, "HTTP-SLOW-HEAD",
	"The request's head was not complete within {timeout_ms} ms.",
	"Der Kopf der Anfrage war nicht innerhalb von {timeout_ms} ms vollständig.",
	"A very slow line, or an attack with slow clients: each costs a little memory and delays nobody else.",
	"Eine sehr langsame Leitung oder ein Angriff mit langsamen Clients: Jeder kostet etwas Arbeitsspeicher und hält niemanden auf.")
FAULT(HTTP_SLOW_BODY, "HTTP-SLOW-BODY",
	"Nothing of the request's body came for {timeout_ms} ms.",
	"Vom Rumpf der Anfrage kam {timeout_ms} ms lang nichts.",
	"A line that broke, or an attack with slow clients: each costs a little memory and delays nobody else.",
	"Eine abgerissene Leitung oder ein Angriff mit langsamen Clients: Jeder kostet etwas Arbeitsspeicher und hält niemanden auf.")
FAULT(HTTP_TRUNCATED_HEAD, "HTTP-TRUNCATED-HEAD",
	"The origin closed the connection within the head of its response.",
	"Der Ursprungsserver schloss die Verbindung mitten im Kopf seiner Antwort.",
	"See the origin's error log at that time: its process probably died.",
	"Zu dieser Zeit ins Fehlerprotokoll des Ursprungsservers sehen: Vermutlich ist dessen Prozess gestorben.")
/* clang-format on */
