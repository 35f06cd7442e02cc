/* Certificates and keys on disk and in service: part of base/fault.tbl.h (which see). */
/* clang-format off */

/* ---- certificates ---- */
FAULT(CERT_NONE, "CERT-NONE",
	"No certificate folder holds a usable pair of certificate and key.",
	"Kein Zertifikatsordner enthält ein brauchbares Paar aus Zertifikat und Schlüssel.",
	"Put certificate and key (.pem, or .crt and .key) into a folder named by `certificates`.",
	"Zertifikat und Schlüssel (.pem oder .crt und .key) in einen unter `certificates` genannten Ordner legen.")
FAULT(CERT_UNREADABLE, "CERT-UNREADABLE",
	"The file {file} cannot be read: {error}.",
	"Die Datei {file} kann nicht gelesen werden: {error}.",
	"Correct owner and mode; the supervisor, which reads it, runs as the user that started torhaus.",
	"Besitzer und Rechte berichtigen; gelesen wird sie vom Supervisor, der als der Benutzer läuft, der torhaus gestartet hat.")
FAULT(CERT_BAD_FILE, "CERT-BAD-FILE",
	"The file {file} holds neither a certificate nor a key in PEM form, or a damaged one.",
	"Die Datei {file} enthält weder Zertifikat noch Schlüssel in PEM-Form, oder sie sind beschädigt.",
	"Look at it with openssl x509 -in {file} -text; convert DER with openssl x509 -inform DER.",
	"Mit openssl x509 -in {file} -text ansehen; DER mit openssl x509 -inform DER umwandeln.")
FAULT(CERT_KEY_ENCRYPTED, "CERT-KEY-ENCRYPTED",
	"The key in {file} is protected by a passphrase.",
	"Der Schlüssel in {file} ist mit einer Passphrase geschützt.",
	"Store it without: openssl pkey -in {file} -out NEW.key, readable for root only.",
	"Den Schlüssel ohne Passphrase ablegen: openssl pkey -in {file} -out NEU.key, nur für root lesbar.")
FAULT(CERT_NO_KEY, "CERT-NO-KEY",
	"No key in the certificate folders belongs to the certificate in {file}.",
	"Kein Schlüssel in den Zertifikatsordnern gehört zum Zertifikat in {file}.",
	"Put its key beside it.",
	"Den zugehörigen Schlüssel daneben legen.")
FAULT(CERT_KEY_MISMATCH, "CERT-KEY-MISMATCH",
	"The certificate in {file} and the key in {key} do not belong together.",
	"Das Zertifikat in {file} und der Schlüssel in {key} gehören nicht zusammen.",
	"Deploy certificate and key together; the pair that worked before stays in service meanwhile.",
	"Zertifikat und Schlüssel gemeinsam ausrollen; das bisherige Paar bleibt solange in Betrieb.")
FAULT(CERT_KEY_KIND, "CERT-KEY-KIND",
	"The key of {file} is neither RSA, ECDSA nor Ed25519.",
	"Der Schlüssel von {file} ist weder RSA noch ECDSA noch Ed25519.",
	"Have the certificate issued for an RSA or ECDSA key.",
	"Das Zertifikat für einen RSA- oder ECDSA-Schlüssel ausstellen lassen.")
FAULT(CERT_KEY_TOO_SMALL, "CERT-KEY-TOO-SMALL",
	"The key of {file} ({name}) has {bits} bits, too few to be accepted.",
	"Der Schlüssel von {file} ({name}) hat {bits} Bit, zu wenig, um angenommen zu werden.",
	"Have it reissued with RSA of 2048 bits or more, or ECDSA P-256.",
	"Neu ausstellen lassen mit RSA ab 2048 Bit oder ECDSA P-256.")
FAULT(CERT_WEAK_SIGNATURE, "CERT-WEAK-SIGNATURE",
	"A certificate in {file} ({name}) is signed with SHA-1 or weaker; nobody accepts that.",
	"Ein Zertifikat in {file} ({name}) ist mit SHA-1 oder schwächer signiert; das nimmt niemand an.",
	"Have it reissued.",
	"Neu ausstellen lassen.")
FAULT(CERT_CHAIN_ORDER, "CERT-CHAIN-ORDER",
	"The certificates in {file} ({name}) are not the server's own followed by each issuer, once; {served} of them are served, put in order, and {left_out} that do not belong there are left out.",
	"Die Zertifikate in {file} ({name}) sind nicht das des Servers, gefolgt von jedem Aussteller, je einmal; {served} davon werden geordnet ausgeliefert, {left_out}, die nicht hingehören, weggelassen.",
	"Nothing is broken by it here; other programs may refuse such a file. Use the CA's file with the whole chain (fullchain.pem).",
	"Hier ist dadurch nichts defekt; andere Programme lehnen eine solche Datei vielleicht ab. Die Datei der CA mit der ganzen Kette verwenden (fullchain.pem).")
FAULT(CERT_CHAIN_DATE, "CERT-CHAIN-DATE",
	"{file} ({name}) sends the certificate of the issuer {issuer} along, which is valid from {from} until {until} only: peers that take this way refuse the whole chain.",
	"{file} ({name}) sendet das Zertifikat des Ausstellers {issuer} mit, das nur von {from} bis {until} gilt: Gegenstellen, die diesen Weg nehmen, lehnen die ganze Kette ab.",
	"Get the chain from the CA as it is now (fullchain.pem), or take that certificate out if the chain is whole without it.",
	"Die Kette, wie sie jetzt ist, von der CA holen (fullchain.pem), oder dieses Zertifikat herausnehmen, wenn die Kette ohne es vollständig ist.")
FAULT(CERT_CHAIN_NO_CA, "CERT-CHAIN-NO-CA",
	"The chain in {file} ({name}) ends at the issuer {issuer} and reaches no CA that this machine knows ({error}); peers have much the same CAs.",
	"Die Kette in {file} ({name}) endet beim Aussteller {issuer} und erreicht keine CA, die diese Maschine kennt ({error}); Gegenstellen haben etwa dieselben CAs.",
	"Use the file with the whole chain (fullchain.pem); if it is a CA of your own, put its root into /usr/local/share/ca-certificates and run update-ca-certificates, here and on the peers.",
	"Die Datei mit der ganzen Kette verwenden (fullchain.pem); ist es eine eigene CA, ihre Wurzel nach /usr/local/share/ca-certificates legen und update-ca-certificates aufrufen, hier und bei den Gegenstellen.")
FAULT(CERT_NAMES_LEFT_OUT, "CERT-NAMES-LEFT-OUT",
	"The certificate in {file} ({name}) has {count} names; only the first {most} are served.",
	"Das Zertifikat in {file} ({name}) hat {count} Namen; nur die ersten {most} werden bedient.",
	"Have several issued with fewer names each: every visitor receives all of them.",
	"Mehrere mit je weniger Namen ausstellen lassen: Jeder Besucher bekommt sie alle gesandt.")
FAULT(CERT_KEY_EXPOSED, "CERT-KEY-EXPOSED",
	"Everybody on this machine may read or change the private key in {file} (mode {mode}).",
	"Jeder auf dieser Maschine darf den privaten Schlüssel in {file} lesen oder ändern (Modus {mode}).",
	"chmod 600 {file}; if strangers have accounts here, have the certificate reissued for a new key and the old one revoked.",
	"chmod 600 {file}; haben Fremde hier Konten, das Zertifikat für einen neuen Schlüssel ausstellen und das alte sperren lassen.")
FAULT(CERT_FOLDER_OPEN, "CERT-FOLDER-OPEN",
	"Everybody on this machine may put certificates into the folder {file} (mode {mode}), and they would be served.",
	"Jeder auf dieser Maschine darf Zertifikate in den Ordner {file} legen (Modus {mode}), und sie würden ausgeliefert.",
	"chmod go-w {file}, then look whether all that lies there is yours.",
	"chmod go-w {file}, dann nachsehen, ob alles, was dort liegt, von Ihnen ist.")
FAULT(CERT_NO_CHAIN, "CERT-NO-CHAIN",
	"{file} ({name}) holds the server's certificate without the intermediate certificate of {issuer}: some clients will not accept it.",
	"{file} ({name}) enthält das Serverzertifikat ohne das Zwischenzertifikat von {issuer}: Manche Clients werden es nicht annehmen.",
	"Use the file with the whole chain (fullchain.pem).",
	"Die Datei mit der ganzen Kette verwenden (fullchain.pem).")
FAULT(CERT_EXPIRED, "CERT-EXPIRED",
	"The certificate in {file} ({name}) expired at {until}.",
	"Das Zertifikat in {file} ({name}) ist am {until} abgelaufen.",
	"Renew it; look why the automatic renewal did not run.",
	"Erneuern; nachsehen, warum die automatische Erneuerung nicht lief.")
FAULT(CERT_NOT_YET_VALID, "CERT-NOT-YET-VALID",
	"The certificate in {file} ({name}) is valid from {from} on only.",
	"Das Zertifikat in {file} ({name}) gilt erst ab {from}.",
	"Look at this machine's clock (timedatectl).",
	"Die Uhr dieser Maschine prüfen (timedatectl).")
FAULT(CERT_KEY_USAGE, "CERT-KEY-USAGE",
	"The certificate in {file} ({name}) forbids its key to sign (key usage without digitalSignature).",
	"Das Zertifikat in {file} ({name}) verbietet seinem Schlüssel das Signieren (Key Usage ohne digitalSignature).",
	"Have it reissued for a TLS server.",
	"Für einen TLS-Server neu ausstellen lassen.")
FAULT(CERT_NOT_FOR_SERVERS, "CERT-NOT-FOR-SERVERS",
	"The certificate in {file} ({name}) is not for servers (extended key usage without serverAuth).",
	"Das Zertifikat in {file} ({name}) ist nicht für Server (Extended Key Usage ohne serverAuth).",
	"Have it reissued for a TLS server.",
	"Für einen TLS-Server neu ausstellen lassen.")
FAULT(CERT_NO_NAMES, "CERT-NO-NAMES",
	"The certificate in {file} names no host.",
	"Das Zertifikat in {file} nennt keinen Host.",
	"Have it reissued with the names as DNS entries of the subjectAltName.",
	"Mit den Namen als DNS-Einträgen im subjectAltName neu ausstellen lassen.")
FAULT(CERT_STAPLE_BAD, "CERT-STAPLE-BAD",
	"The OCSP response in {file} is not good for its certificate: wrong, out of date, or not signed by the issuer.",
	"Die OCSP-Antwort in {file} taugt nicht für ihr Zertifikat: falsch, veraltet oder nicht vom Aussteller signiert.",
	"Fetch it anew (openssl ocsp … -respout {file}) or delete the file; it is not stapled.",
	"Neu holen (openssl ocsp … -respout {file}) oder die Datei löschen; sie wird nicht mitgesandt.")
FAULT(CERT_KEPT, "CERT-KEPT",
	"What lies in {file} now cannot be served; the pair for {name} that worked before stays in service.",
	"Was jetzt in {file} liegt, kann nicht ausgeliefert werden; das bisherige Paar für {name} bleibt in Betrieb.",
	"Mend the file (the other findings say what is wrong with it); a restart would lose the old pair.",
	"Die Datei berichtigen (die anderen Befunde sagen, was ihr fehlt); ein Neustart verlöre das alte Paar.")
FAULT(CERT_KEY_TYPE_CHANGED, "CERT-KEY-TYPE-CHANGED",
	"{name} was served with {before} certificates and is now served with {now}.",
	"{name} wurde mit {before}-Zertifikaten ausgeliefert und nun mit {now}.",
	"Peers that can verify only the former key type will fail from now on: serve RSA and ECDSA side by side.",
	"Gegenstellen, die nur die frühere Schlüsselart prüfen können, scheitern ab jetzt: RSA und ECDSA nebeneinander anbieten.")
FAULT(CERT_NAME_LOST, "CERT-NAME-LOST",
	"{name} was served with {before} certificates and has none any more.",
	"{name} wurde mit {before}-Zertifikaten ausgeliefert und hat keines mehr.",
	"If the name is still in use, put its certificate back.",
	"Falls der Name noch gebraucht wird, sein Zertifikat zurücklegen.")
FAULT(CERT_EXPIRES_SOON, "CERT-EXPIRES-SOON",
	"The certificate in {file} ({name}) expires at {until}.",
	"Das Zertifikat in {file} ({name}) läuft am {until} ab.",
	"Renew it; look why the automatic renewal did not run.",
	"Erneuern; nachsehen, warum die automatische Erneuerung nicht lief.")
FAULT(CERT_NAME_MISSING, "CERT-NAME-MISSING",
	"No certificate here names {names} ({count} names of sites); whoever visits them gets the one for {other} and a warning.",
	"Kein Zertifikat hier nennt {names} ({count} Namen von Sites); wer sie besucht, bekommt das für {other} und eine Warnung.",
	"Have a certificate issued with these names and put it into a certificate folder, or take the names out of the domains (`torhaus domain set`).",
	"Ein Zertifikat mit diesen Namen ausstellen lassen und in einen Zertifikatsordner legen, oder die Namen aus den Domains nehmen (`torhaus domain set`).")
FAULT(CERT_MAIL_NAME_MISSING, "CERT-MAIL-NAME-MISSING",
	"No certificate here names {names}, which this server calls itself in mail (mail.hostname); servers that verify get the one for {other} and send no mail.",
	"Kein Zertifikat hier nennt {names}, wie sich dieser Server bei Mail nennt (mail.hostname); Server, die prüfen, bekommen das für {other} und senden keine Mail.",
	"Have a certificate issued for the name that the MX records have, and let mail.hostname be that name.",
	"Ein Zertifikat für den Namen ausstellen lassen, den die MX-Einträge haben, und mail.hostname diesen Namen geben.")
FAULT(CERT_ALL_SELF_SIGNED, "CERT-ALL-SELF-SIGNED",
	"All certificates in service ({count}) are self-signed: every visitor is warned, and mail servers that verify send nothing.",
	"Alle Zertifikate im Betrieb ({count}) sind selbst signiert: Jeder Besucher wird gewarnt, und Mailserver, die prüfen, senden nichts.",
	"Have one issued by a public CA (certbot and its like do so for nothing) and put it into a certificate folder; those of `torhaus init` are for trying.",
	"Eines von einer öffentlichen CA ausstellen lassen (certbot und andere tun das kostenlos) und in einen Zertifikatsordner legen; die von `torhaus init` sind zum Ausprobieren.")
FAULT(CERT_NOT_SERVED, "CERT-NOT-SERVED",
	"A handshake with ourselves for {name} ({type}) was not answered with the certificate in {file}: {error}.",
	"Ein Handshake mit uns selbst für {name} ({type}) wurde nicht mit dem Zertifikat in {file} beantwortet: {error}.",
	"See torhaus cert list for what is served; if another program holds the address, stop it.",
	"Mit torhaus cert list nachsehen, was ausgeliefert wird; hält ein anderes Programm die Adresse, dieses anhalten.")
/* clang-format on */
