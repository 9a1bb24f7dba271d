"""`[gateway] http`: who else may read there, and whether others can read along."""

from datetime import UTC, datetime
from pathlib import Path

from ganpo_config.findings import Findings
from ganpo_config.secret_files import SecretFiles
from ganpo_config.settings import GatewaySettings

_SHORTEST = 8


def look_at(gateway: GatewaySettings, secrets: SecretFiles, findings: Findings) -> None:
    """Tell what is wrong: beside this machine nobody reads without a password, and a certificate has its key."""
    secret, cert = gateway.http_password, gateway.http_cert_path
    if gateway.is_exposed and gateway.http_password_file is None:
        findings.error(
            "gateway.http",
            "everybody who reaches this address could read everything",
            'http_password_file = "http_password" asks for a password, http_cert_file keeps it from being read on the'
            ' wire; or only this machine: http = "127.0.0.1:8780"',
            value=gateway.http,
        )
    if secret is not None and len(secret.get_secret_value()) < _SHORTEST:
        what = (
            f"the password has fewer than {_SHORTEST} characters: make a longer one, openssl rand -base64 18"
        )
        findings.warn("gateway.http_password_file", what)
    if cert is not None:
        _certificate(gateway, cert, findings)
        secrets.look_at_mode(*_key_of(gateway))
    elif gateway.http_cert_file is None:
        if gateway.http_key_file is not None:
            what = "there is no certificate for this key"
            hint = "http_cert_file = the name of its file, or take the key out"
            findings.error("gateway.http_key_file", what, hint, value=gateway.http_key_file)
        if gateway.is_exposed and gateway.http_password_file is not None:
            what = "the password, and all that is shown, can be read on the wire: give a certificate, http_cert_file"
            findings.warn("gateway.http", what)


def _key_of(gateway: GatewaySettings) -> tuple[str, str]:
    """The file that has the private key, and which setting names it."""
    if gateway.http_key_file is not None:
        return gateway.http_key_file, "gateway.http_key_file"
    return gateway.http_cert_file or "", "gateway.http_cert_file"


def _certificate(gateway: GatewaySettings, cert: Path, findings: Findings) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    name, setting = _key_of(gateway)
    try:
        first = load_pem_x509_certificates(cert.read_bytes())[0]
    except ValueError:
        what, hint = (
            "holds no certificate",
            "a PEM file: the gateway's own certificate first, then who signed it",
        )
        findings.error("gateway.http_cert_file", what, hint, value=gateway.http_cert_file)
        return
    if gateway.http_key_file is not None and gateway.http_key_path is None:
        return  # told already
    try:
        key = load_pem_private_key((gateway.http_key_path or cert).read_bytes(), None)
    except TypeError:
        hint = "openssl pkey -in LOCKED -out OPEN, mode 600"
        findings.error(
            setting, "its key is locked with a passphrase, and nobody is there to type it", hint, value=name
        )
    except (ValueError, UnsupportedAlgorithm):
        hint = "http_key_file = the name of the file that has it, PEM"
        findings.error(setting, "holds no private key", hint, value=name)
    else:
        if key.public_key() != first.public_key():
            hint = "the two are made together: take the key of this certificate"
            findings.error(setting, "the key does not belong to the certificate", hint, value=name)
    if (until := first.not_valid_after_utc) < datetime.now(UTC):
        what = f"the certificate is over since {until:%Y-%m-%d}: browsers refuse it until there is a new one"
        findings.warn("gateway.http_cert_file", what)
