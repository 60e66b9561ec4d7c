"""Certificates for tests: an authority, a server, a client, and bad ones.

    ca.pem         signs all but the last; what clients should trust
    server         localhost and 127.0.0.1
    client         for mutual TLS
    wronghost      other.example
    expired        localhost, until yesterday
    stranger.pem   an authority that signed none of them
"""
import os
import subprocess

LEAVES = {
    "server": ("DNS:localhost,IP:127.0.0.1", 30),
    "client": ("DNS:client", 30),
    "wronghost": ("DNS:other.example", 30),
    "expired": ("DNS:localhost,IP:127.0.0.1", -1),
}


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes",
            "-days", "30", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN=weir-test-{name}",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def make_leaf(folder, name):
    names, days = LEAVES[name]
    openssl(folder, "req", "-new", "-newkey", "rsa:2048", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")
    with open(os.path.join(folder, f"{name}.ext"), "w",
              encoding="ascii") as file:
        file.write(f"subjectAltName={names}\n"
                   "extendedKeyUsage=serverAuth,clientAuth\n")
    lifetime = ["-days", str(days)]
    sign = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem",
            "-extfile", f"{name}.ext"]
    try:
        openssl(folder, *sign, *lifetime)
    except subprocess.CalledProcessError:  # newer openssl: no negative days
        openssl(folder, *sign, "-not_before", "20200101000000Z",
                "-not_after", "20200102000000Z")
    # Kafka wants the key in PKCS#8 form and the chain in one file.
    openssl(folder, "pkcs8", "-topk8", "-nocrypt", "-in", f"{name}.key",
            "-out", f"{name}.store.pem")
    with open(os.path.join(folder, f"{name}.store.pem"), "a",
              encoding="ascii") as store:
        for part in (name, "ca"):
            with open(os.path.join(folder, f"{part}.pem"),
                      encoding="ascii") as file:
                store.write(file.read())


def make(folder):
    os.makedirs(folder, exist_ok=True)
    make_authority(folder, "ca")
    make_authority(folder, "stranger")
    for name in LEAVES:
        make_leaf(folder, name)
