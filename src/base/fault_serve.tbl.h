/* The server itself: sockets, processes, logs: part of base/fault.tbl.h (which see). */
/* clang-format off */

/* ---- sockets ---- */
FAULT(LISTEN_FAILED, "LISTEN-FAILED",
	"The address {address} cannot be listened on: {error}.",
	"Auf der Adresse {address} kann nicht gelauscht werden: {error}.",
	"Find who holds it (ss -ltnp), or give torhaus the right to ports below 1024 (CAP_NET_BIND_SERVICE), or choose another address.",
	"Nachsehen, wer sie hat (ss -ltnp), oder torhaus das Recht auf Ports unter 1024 geben (CAP_NET_BIND_SERVICE), oder eine andere Adresse wählen.")

/* ---- the server itself ---- */
FAULT(SERVE_NO_USER, "SERVE-NO-USER",
	"The worker is to run as user \"{user}\", and there is no such user on this machine.",
	"Der Worker soll als Benutzer \"{user}\" laufen; den gibt es auf dieser Maschine nicht.",
	"Make the user (adduser --system --group {user}), or name another one with user = \"…\" in torhaus.conf.",
	"Den Benutzer anlegen (adduser --system --group {user}) oder mit user = \"…\" in torhaus.conf einen anderen nennen.")
FAULT(SERVE_ALREADY_RUNNING, "SERVE-ALREADY-RUNNING",
	"A torhaus with these settings is running already: it answers on {path}.",
	"Ein torhaus mit diesen Einstellungen läuft schon: Es antwortet auf {path}.",
	"`torhaus reload` makes it read its settings again, `torhaus stop` ends it; a second server needs a control socket of its own.",
	"`torhaus reload` lässt es seine Einstellungen neu lesen, `torhaus stop` beendet es; ein zweiter Server braucht einen eigenen control-Socket.")
FAULT(SERVE_CONTROL_FAILED, "SERVE-CONTROL-FAILED",
	"The control socket {path} cannot be made: {error}.",
	"Der control-Socket {path} lässt sich nicht anlegen: {error}.",
	"Make its folder and see to it that the user who starts torhaus may write there, or set control = \"…\" to another path.",
	"Seinen Ordner anlegen und dafür sorgen, dass der startende Benutzer dort schreiben darf, oder control = \"…\" auf einen anderen Pfad setzen.")
FAULT(SERVE_NO_ACCESS, "SERVE-NO-ACCESS",
	"A server may be running, but {user} may not open its control socket {path} ({error}); it belongs to {owner}.",
	"Ein Server läuft vielleicht, aber {user} darf seinen Steuersocket {path} nicht öffnen ({error}); er gehört {owner}.",
	"Ask as {owner} or as root: sudo torhaus ...",
	"Als {owner} oder als root fragen: sudo torhaus ...")
FAULT(SERVE_NOT_RUNNING, "SERVE-NOT-RUNNING",
	"No server answers on {path}: {error}.",
	"Auf {path} antwortet kein Server: {error}.",
	"Start it (systemctl start torhaus, or torhaus serve), or name the right settings with --config; the socket may be used by root alone.",
	"Ihn starten (systemctl start torhaus oder torhaus serve) oder mit --config die richtigen Einstellungen nennen; den Socket darf nur root benutzen.")
FAULT(SERVE_WORKER_DIED, "SERVE-WORKER-DIED",
	"The worker (process {pid}) ended unasked after {lived}: {how}. A new one was started.",
	"Der Worker (Prozess {pid}) endete ungebeten nach {lived}: {how}. Ein neuer wurde gestartet.",
	"SIGKILL often means that memory ran out (journalctl -k). Any other signal is an error in torhaus: report it with the log around this time.",
	"SIGKILL bedeutet oft, dass der Arbeitsspeicher ausging (journalctl -k). Jedes andere Signal ist ein Fehler in torhaus: mit dem Protokoll um diese Zeit melden.")
FAULT(SERVE_CRASH_LOOP, "SERVE-CRASH-LOOP",
	"The worker ended {times} times in a row soon after its start, at last: {how}. The next try is in {wait}.",
	"Der Worker endete {times} Mal hintereinander bald nach seinem Start, zuletzt: {how}. Der nächste Versuch folgt in {wait}.",
	"The log above says why; `torhaus check` finds faulty settings. If it began with an update, install the earlier version.",
	"Das Protokoll darüber sagt, warum; `torhaus check` findet fehlerhafte Einstellungen. Begann es mit einer Aktualisierung, die vorige Version einspielen.")
FAULT(SERVE_WORKER_UNFIT, "SERVE-WORKER-UNFIT",
	"A new worker could not start: {how}. Nothing was changed; the old one goes on.",
	"Ein neuer Worker konnte nicht starten: {how}. Es wurde nichts geändert; der alte arbeitet weiter.",
	"The log above says why; correct it, then `torhaus reload` again.",
	"Das Protokoll darüber sagt, warum; beheben, dann noch einmal `torhaus reload`.")
FAULT(SERVE_BINARY_UNFIT, "SERVE-BINARY-UNFIT",
	"The program {path} cannot take over: {error}. The running one goes on.",
	"Das Programm {path} kann nicht übernehmen: {error}. Das laufende arbeitet weiter.",
	"Install the new version completely ({path} --version must work), then `torhaus reload --binary` again.",
	"Die neue Version vollständig einspielen ({path} --version muss gehen), dann noch einmal `torhaus reload --binary`.")
FAULT(SERVE_BUSY, "SERVE-BUSY",
	"The server is in the middle of another {what}.",
	"Der Server ist mitten in einem anderen Vorgang ({what}).",
	"Try again in a few seconds.",
	"In einigen Sekunden noch einmal versuchen.")
FAULT(SERVE_FENCE_FAILED, "SERVE-FENCE-FAILED",
	"The worker could not be fenced in ({what}): {error}.",
	"Der Worker ließ sich nicht einzäunen ({what}): {error}.",
	"The kernel needs seccomp filters and, from version 5.13, Landlock; containers often take them away.",
	"Der Kernel braucht seccomp-Filter und, ab Version 5.13, Landlock; Container nehmen sie oft weg.")
FAULT(SERVE_FEW_FILES, "SERVE-FEW-FILES",
	"The process may open {limit} files, which is too few for {connections} connections (connections_max of web, and twice that of mail).",
	"Der Prozess darf {limit} Dateien öffnen; für {connections} Verbindungen (connections_max von web und zweimal das von mail) ist das zu wenig.",
	"Raise LimitNOFILE= in the unit (or ulimit -n) to {wanted}, or lower connections_max.",
	"LimitNOFILE= in der Unit (oder ulimit -n) auf {wanted} erhöhen oder connections_max senken.")
FAULT(SERVE_SNAPSHOT_OLD, "SERVE-SNAPSHOT-OLD",
	"The store could not be read at the start; {domains} domains are served from the last good state.",
	"Der Store war beim Start nicht lesbar; {domains} Domains werden aus dem letzten guten Stand bedient.",
	"See the fault of the store; nothing else needs to be done.",
	"Den Befund zum Store beheben; sonst ist nichts zu tun.")
FAULT(LOG_FAILED, "LOG-FAILED",
	"The log {path} cannot be opened: {error}.",
	"Das Protokoll {path} lässt sich nicht öffnen: {error}.",
	"Make the folder, and let the user torhaus write there.",
	"Den Ordner anlegen und den Benutzer torhaus dort schreiben lassen.")
FAULT(LOG_LINES_LOST, "LOG-LINES-LOST",
	"{events} events and {lines} access lines could not be written since the start.",
	"{events} Ereignisse und {lines} Zugriffszeilen konnten seit dem Start nicht geschrieben werden.",
	"See whether the disk of the log is full (df -h) and whether its folder may be written.",
	"Nachsehen, ob die Platte des Protokolls voll ist (df -h) und ob sein Ordner beschreibbar ist.")
/* clang-format on */
