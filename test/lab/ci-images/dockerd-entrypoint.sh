#!/bin/sh
# STAND-IN for docker:dind's entry point, by its rules: without arguments, or with options, it is dockerd, with a new
# certification authority and certificates below DOCKER_TLS_CERTDIR, for the names docker, localhost and the host's, and
# DOCKER_TLS_SAN; on port 2376, or on 2375 without TLS. Anything else is a command.
set -eu

case "${1:--}" in
-*) ;;
*) exec "$@" ;;
esac

socket=unix:///var/run/docker.sock
set -- --insecure-registry=172.16.0.0/12 "$@"
certs=${DOCKER_TLS_CERTDIR:-}
if [ -z "$certs" ]; then
	set -- dockerd --host="$socket" --host=tcp://0.0.0.0:2375 "$@"
else
	# certify NAME EXTENSION
	certify() {
		mkdir -p "$certs/$1"
		openssl genrsa -out "$certs/$1/key.pem" 2048
		openssl req -new -key "$certs/$1/key.pem" -out "$certs/$1/csr.pem" -subj "/CN=docker:dind $1"
		echo "$2" >"$certs/$1/ext"
		openssl x509 -req -in "$certs/$1/csr.pem" -CA "$certs/ca/cert.pem" -CAkey "$certs/ca/key.pem" -CAcreateserial \
			-out "$certs/$1/cert.pem" -days 825 -extfile "$certs/$1/ext"
		cp "$certs/ca/cert.pem" "$certs/$1/ca.pem"
	}
	mkdir -p "$certs/ca"
	# Instead of the openssl.cnf of a distribution.
	printf '[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\nbasicConstraints=critical,CA:true\n' >"$certs/ca/cnf"
	export OPENSSL_CONF="$certs/ca/cnf"
	[ -s "$certs/ca/key.pem" ] || openssl genrsa -out "$certs/ca/key.pem" 2048
	openssl req -new -x509 -key "$certs/ca/key.pem" -out "$certs/ca/cert.pem" -subj '/CN=docker:dind CA' -days 825
	certify server "subjectAltName=DNS:docker,DNS:localhost,DNS:$(hostname)${DOCKER_TLS_SAN:+,$DOCKER_TLS_SAN}"
	certify client extendedKeyUsage=clientAuth
	# openssl makes it 0600; clients of any user read this one.
	chmod 0644 "$certs/client/key.pem"
	set -- dockerd --host="$socket" --host=tcp://0.0.0.0:2376 --tlsverify --tlscacert "$certs/server/ca.pem" \
		--tlscert "$certs/server/cert.pem" --tlskey "$certs/server/key.pem" "$@"
fi
rm -f /run/docker*.pid /run/docker/containerd/containerd.pid
exec "$@"
