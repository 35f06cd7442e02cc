/* Settings, store, domains: part of base/fault.tbl.h (which see). */
/* clang-format off */

/* ---- settings and store ---- */
FAULT(SETTINGS_UNKNOWN_KEY, "SETTINGS-UNKNOWN-KEY",
	"{file}:{line}: there is no setting \"{key}\".",
	"{file}:{line}: Es gibt keine Einstellung \"{key}\".",
	"Did you mean \"{nearest}\"? `man torhaus` lists all settings.",
	"Ist \"{nearest}\" gemeint? `man torhaus` nennt alle Einstellungen.")
FAULT(SETTINGS_BAD_VALUE, "SETTINGS-BAD-VALUE",
	"{file}:{line}: \"{value}\" does not fit {key}: {why}.",
	"{file}:{line}: \"{value}\" passt nicht zu {key}: {why}.",
	"Write {wanted}.",
	"Erwartet wird: {wanted}.")
FAULT(SETTINGS_SYNTAX, "SETTINGS-SYNTAX",
	"{file}:{line}: this is not the grammar of a settings file: {why}.",
	"{file}:{line}: Das ist nicht die Grammatik einer Einstellungsdatei: {why}.",
	"Correct the line; `torhaus check` shows all findings at once.",
	"Zeile berichtigen; `torhaus check` zeigt alle Befunde auf einmal.")
FAULT(SETTINGS_NO_SUCH_KEY, "SETTINGS-NO-SUCH-KEY",
	"{file}:{line}: there is no setting \"{key}\", nor one with a similar name.",
	"{file}:{line}: Es gibt keine Einstellung \"{key}\", auch keine mit ähnlichem Namen.",
	"Remove it. What can stand here: {known}.",
	"Entfernen. Hier möglich: {known}.")
FAULT(SETTINGS_TWICE, "SETTINGS-TWICE",
	"{file}:{line}: {key} stands here a second time; the first is in line {first}.",
	"{file}:{line}: {key} steht hier zum zweiten Mal; das erste steht in Zeile {first}.",
	"Keep one of the two.",
	"Nur eines von beiden behalten.")
FAULT(SETTINGS_UNREADABLE, "SETTINGS-UNREADABLE",
	"The settings {path} cannot be read: {error}.",
	"Die Einstellungen {path} sind nicht lesbar: {error}.",
	"Name the file with --config or $TORHAUS_CONFIG, or make one with `torhaus init`.",
	"Die Datei mit --config oder $TORHAUS_CONFIG nennen oder mit `torhaus init` eine anlegen.")
FAULT(STORE_BAD_URL, "STORE-BAD-URL",
	"The address of the store, \"{url}\", is of no kind that torhaus knows.",
	"Die Adresse des Stores, \"{url}\", ist von keiner Art, die torhaus kennt.",
	"Write store = \"sqlite:/var/lib/torhaus/torhaus.db\" in torhaus.conf.",
	"In torhaus.conf store = \"sqlite:/var/lib/torhaus/torhaus.db\" schreiben.")
FAULT(STORE_MISSING, "STORE-MISSING",
	"There is no store at {path} ({error}).",
	"Unter {path} liegt kein Store ({error}).",
	"Put the file back from a backup, or make a new store with `torhaus init` and fill it with `torhaus domain apply FILE` from an export. A running server goes on with the domains that it has.",
	"Die Datei aus einer Sicherung zurückholen, oder mit `torhaus init` einen neuen Store anlegen und ihn mit `torhaus domain apply DATEI` aus einem Export füllen. Ein laufender Server arbeitet mit seinen Domains weiter.")
FAULT(STORE_LOCKED, "STORE-LOCKED",
	"Another program holds the store {path} locked for longer than 5 seconds ({error}).",
	"Ein anderes Programm hält den Store {path} länger als 5 Sekunden gesperrt ({error}).",
	"`fuser -v {path}` names the program; end it, or try again when it is done.",
	"`fuser -v {path}` nennt das Programm; es beenden, oder es noch einmal versuchen, wenn es fertig ist.")
FAULT(STORE_READ_ONLY, "STORE-READ-ONLY",
	"The store {path} cannot be written by user id {uid} ({error}).",
	"Der Store {path} ist für die Benutzernummer {uid} nicht beschreibbar ({error}).",
	"Give the file, {path}-wal, {path}-shm and their folder to the user torhaus (chown), and see with `findmnt -T {path}` that the file system is not mounted read-only.",
	"Die Datei, {path}-wal, {path}-shm und ihren Ordner dem Benutzer torhaus geben (chown), und mit `findmnt -T {path}` nachsehen, ob das Dateisystem nur lesbar eingehängt ist.")
FAULT(STORE_NO_ACCESS, "STORE-NO-ACCESS",
	"The store {path} may not be read by user id {uid} ({error}).",
	"Die Benutzernummer {uid} darf den Store {path} nicht lesen ({error}).",
	"Call torhaus as root or as a member of the group that the file belongs to.",
	"torhaus als root oder als Mitglied der Gruppe aufrufen, der die Datei gehört.")
FAULT(STORE_FULL, "STORE-FULL",
	"There is no room left for the store {path} ({error}); nothing was changed.",
	"Für den Store {path} ist kein Platz mehr ({error}); es wurde nichts geändert.",
	"Free some space (`df -h {path}` shows the file system), then repeat the change.",
	"Platz schaffen (`df -h {path}` zeigt das Dateisystem), dann die Änderung wiederholen.")
FAULT(STORE_CORRUPT, "STORE-CORRUPT",
	"The store {path} is damaged or no SQLite file ({error}).",
	"Der Store {path} ist beschädigt oder keine SQLite-Datei ({error}).",
	"Put back a backup, or rescue what is readable: `sqlite3 {path} .recover | sqlite3 new.db`, then `mv new.db {path}`; or make a new store and fill it with `torhaus domain apply FILE` from an export. A running server goes on with the domains that it has.",
	"Eine Sicherung zurückspielen, oder retten, was lesbar ist: `sqlite3 {path} .recover | sqlite3 neu.db`, dann `mv neu.db {path}`; oder einen neuen Store anlegen und mit `torhaus domain apply DATEI` aus einem Export füllen. Ein laufender Server arbeitet mit seinen Domains weiter.")
FAULT(STORE_FOREIGN, "STORE-FOREIGN",
	"{path} is an SQLite file of another program ({error}).",
	"{path} ist eine SQLite-Datei eines anderen Programms ({error}).",
	"Name another file as store in torhaus.conf.",
	"In torhaus.conf eine andere Datei als store angeben.")
FAULT(STORE_NEWER, "STORE-NEWER",
	"The store {path} was written by a newer torhaus (schema {schema}; this program knows schemas up to {known}).",
	"Der Store {path} stammt von einem neueren torhaus (Schema {schema}; dieses Programm kennt Schemas bis {known}).",
	"Install the newer torhaus again, or put back a backup that was made before the upgrade.",
	"Das neuere torhaus wieder einspielen, oder eine Sicherung von vor der Aktualisierung zurückholen.")
FAULT(STORE_NAME_TAKEN, "STORE-NAME-TAKEN",
	"The web name {name} of {domain} already belongs to the domain {owner}.",
	"Der Webname {name} von {domain} gehört schon zur Domain {owner}.",
	"`torhaus domain show {owner}` shows it; take the name away there first, or leave it out here.",
	"`torhaus domain show {owner}` zeigt sie; den Namen erst dort entfernen oder hier weglassen.")
FAULT(STORE_BAD_ROW, "STORE-BAD-ROW",
	"The store holds settings of the domain {domain} that do not fit: {why}. The domain is left out.",
	"Der Store enthält Einstellungen der Domain {domain}, die nicht passen: {why}. Die Domain wird ausgelassen.",
	"`torhaus domain show {domain}` shows them; remove the domain and add it again.",
	"`torhaus domain show {domain}` zeigt sie; die Domain entfernen und neu anlegen.")
FAULT(STORE_FAILED, "STORE-FAILED",
	"The store {path} cannot be used: {error}.",
	"Der Store {path} ist nicht benutzbar: {error}.",
	"Look for errors of the disk (`journalctl -k`) and check the file with `sqlite3 {path} 'PRAGMA integrity_check'`; torhaus tries again by itself.",
	"Nach Fehlern der Platte sehen (`journalctl -k`) und die Datei mit `sqlite3 {path} 'PRAGMA integrity_check'` prüfen; torhaus versucht es von selbst wieder.")
FAULT(FILE_UNWRITABLE, "FILE-UNWRITABLE",
	"{path} cannot be written: {error}.",
	"{path} ist nicht schreibbar: {error}.",
	"Name a file in a folder that can be written.",
	"Eine Datei in einem beschreibbaren Ordner nennen.")
FAULT(EVIDENCE_WAITING, "EVIDENCE-WAITING",
	"Since {since} the store does not take the evidence of mails and handshakes ({code}); {events} events wait in memory.",
	"Seit {since} nimmt der Store die Nachweise über Mails und Handshakes nicht an ({code}); {events} Ereignisse warten im Arbeitsspeicher.",
	"Repair the store (`torhaus explain {code}`). Up to {most} MiB wait and are written then; a restart before that loses them.",
	"Den Store reparieren (`torhaus explain {code}`). Bis zu {most} MiB warten und werden dann geschrieben; ein Neustart davor verliert sie.")
FAULT(EVIDENCE_LOST, "EVIDENCE-LOST",
	"{events} events of mails and handshakes between {since} and {until} are missing in the evidence: the store did not take them ({code}), and no more could wait.",
	"{events} Ereignisse zu Mails und Handshakes zwischen {since} und {until} fehlen in den Nachweisen: Der Store nahm sie nicht an ({code}), und mehr konnten nicht warten.",
	"Repair the store (`torhaus explain {code}`) and note the gap in the reports of that time.",
	"Den Store reparieren (`torhaus explain {code}`) und die Lücke in den Berichten jener Zeit vermerken.")

/* ---- domains ---- */
FAULT(DOMAIN_BAD_NAME, "DOMAIN-BAD-NAME",
	"\"{domain}\" is no domain name.",
	"\"{domain}\" ist kein Domainname.",
	"Write a host name such as example.de: letters, digits, hyphens and dots, without scheme and port.",
	"Einen Hostnamen wie example.de schreiben: Buchstaben, Ziffern, Bindestriche und Punkte, ohne Schema und Port.")
FAULT(DOMAIN_OPTION_BAD_VALUE, "DOMAIN-OPTION-BAD-VALUE",
	"{option} \"{value}\" does not fit: {why}.",
	"{option} \"{value}\" passt nicht: {why}.",
	"Write {wanted}.",
	"Erwartet wird: {wanted}.")
FAULT(DOMAIN_APPLY_REMOVES, "DOMAIN-APPLY-REMOVES",
	"{file} has {left} of the {all} domains of the store: {removed} would be removed. Nothing was changed.",
	"{file} enthält {left} der {all} Domains des Stores: {removed} würden entfernt. Es wurde nichts geändert.",
	"`torhaus domain apply {file} --dry-run` shows which; if that is meant, repeat it with --remove.",
	"`torhaus domain apply {file} --dry-run` zeigt, welche; ist das gemeint, mit --remove wiederholen.")
FAULT(DOMAIN_NOTHING_TO_UNDO, "DOMAIN-NOTHING-TO-UNDO",
	"No change of domains is kept that could be taken back.",
	"Es ist keine Änderung an Domains aufbewahrt, die zurückgenommen werden könnte.",
	"The last {most} changes are kept; older states come back from an export (`torhaus domain apply FILE`).",
	"Aufbewahrt werden die letzten {most} Änderungen; ältere Stände kommen aus einem Export zurück (`torhaus domain apply DATEI`).")
FAULT(DOMAIN_TWICE, "DOMAIN-TWICE",
	"{file}:{line}: the domain {domain} stands here a second time; the first is in line {first}.",
	"{file}:{line}: Die Domain {domain} steht hier zum zweiten Mal; die erste steht in Zeile {first}.",
	"Join the two sections into one.",
	"Die beiden Abschnitte zu einem vereinen.")
FAULT(DOMAIN_WEB_TWICE, "DOMAIN-WEB-TWICE",
	"{file}:{line}: the web name {name} of {domain} already belongs to {owner} (line {first}).",
	"{file}:{line}: Der Webname {name} von {domain} gehört schon zu {owner} (Zeile {first}).",
	"Leave it in one of the two: a name leads to one site.",
	"Ihn nur bei einer der beiden lassen: Ein Name führt zu einer Site.")
FAULT(DOMAIN_TOO_MANY, "DOMAIN-TOO-MANY",
	"{file}:{line}: {domain} brings the number of {key} to {count}; at most {most} are possible.",
	"{file}:{line}: Mit {domain} wird die Zahl von {key} zu {count}; möglich sind höchstens {most}.",
	"Divide it, or use a wildcard such as *.example.de for the web names.",
	"Aufteilen, oder für die Webnamen einen Platzhalter wie *.example.de verwenden.")
FAULT(DOMAIN_NO_ORIGIN, "DOMAIN-NO-ORIGIN",
	"{file}:{line}: {domain} has web names but no origin to fetch their pages from.",
	"{file}:{line}: {domain} hat Webnamen, aber keinen Ursprungsserver, von dem die Seiten geholt werden.",
	"Add origin = \"http://ADDRESS\" (`torhaus domain set {domain} --origin http://ADDRESS`).",
	"origin = \"http://ADRESSE\" hinzufügen (`torhaus domain set {domain} --origin http://ADRESSE`).")
FAULT(DOMAIN_UNKNOWN, "DOMAIN-UNKNOWN",
	"There is no domain {domain}.",
	"Es gibt keine Domain {domain}.",
	"{hint}",
	"{hint}")
FAULT(RECIPIENT_UNKNOWN, "RECIPIENT-UNKNOWN",
	"{address} has no encryption of its own; that of {domain} holds: {tls}.",
	"{address} hat keine eigene Verschlüsselung; es gilt die von {domain}: {tls}.",
	"`torhaus recipient list {domain}` shows those that have one.",
	"`torhaus recipient list {domain}` zeigt, wer eine hat.")
FAULT(DOMAIN_EXISTS, "DOMAIN-EXISTS",
	"The domain {domain} exists already.",
	"Die Domain {domain} gibt es schon.",
	"Change it with `torhaus domain set {domain} ...`.",
	"Mit `torhaus domain set {domain} ...` ändern.")
FAULT(DOMAIN_FILE_UNREADABLE, "DOMAIN-FILE-UNREADABLE",
	"The file {file} cannot be read: {error}.",
	"Die Datei {file} ist nicht lesbar: {error}.",
	"Name a file of at most 64 MiB that you may read, or - for standard input.",
	"Eine lesbare Datei von höchstens 64 MiB angeben, oder - für die Standardeingabe.")
FAULT(DOMAIN_LIST_LINE, "DOMAIN-LIST-LINE",
	"{file}:{line}: \"{text}\" is no \"name address\": {why}.",
	"{file}:{line}: \"{text}\" ist kein \"Name Adresse\": {why}.",
	"Write a host name and the address of its web server, such as \"example.de 192.0.2.10\"; # begins a comment.",
	"Einen Hostnamen und die Adresse seines Webservers schreiben, etwa \"example.de 192.0.2.10\"; # beginnt einen Kommentar.")
FAULT(DOMAIN_LIST_TWICE, "DOMAIN-LIST-TWICE",
	"{file}:{line}: {name} stands here a second time ({text}); the first is in line {first}.",
	"{file}:{line}: {name} steht hier zum zweiten Mal ({text}); das erste Mal in Zeile {first}.",
	"Keep one of the two. Several servers for one name: `torhaus domain set {name} --origin http://A --origin http://B`.",
	"Nur eine der beiden behalten. Mehrere Server für einen Namen: `torhaus domain set {name} --origin http://A --origin http://B`.")
FAULT(DOMAIN_LIST_TAKEN, "DOMAIN-LIST-TAKEN",
	"{file}:{line}: {name} is served by the domain {owner} already, from another origin than {text}.",
	"{file}:{line}: {name} wird schon von der Domain {owner} ausgeliefert, von einem anderen Ursprungsserver als {text}.",
	"Take the name away from {owner} first (`torhaus domain set {owner} --web ...`), or change the origin of {owner}.",
	"Den Namen erst {owner} wegnehmen (`torhaus domain set {owner} --web ...`), oder den Ursprungsserver von {owner} ändern.")
/* clang-format on */
