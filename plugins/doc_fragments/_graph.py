# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - Id of the Entra tenant, or one of its domain names. Needed unless O(access_token) is used.
      - Taken from the environment variables E(AZURE_TENANT) or E(AZURE_TENANT_ID) when not set.
      - Here and below, a variable that is set and empty counts as not set.
    type: str
    aliases: [tenant]
  client_id:
    description:
      - Application (client) id of the app registration. Needed unless O(access_token) is used.
      - Taken from the environment variable E(AZURE_CLIENT_ID) when not set.
    type: str
  client_secret:
    description:
      - Value of a client secret of the app registration. The value is not the id of the secret.
      - Taken from the environment variables E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET) when not set.
    type: str
    aliases: [secret]
  certificate_path:
    description:
      - File with the private key and the certificate of the app registration.
      - Either PEM, with both in one file, or PFX.
      - Entra takes RSA keys.
      - >-
        Taken from the environment variables E(AZURE_X509_CERTIFICATE_PATH) or E(AZURE_CLIENT_CERTIFICATE_PATH)
        when not set.
    type: path
    aliases: [x509_certificate_path]
  certificate_password:
    description:
      - Password of the private key in O(certificate_path).
      - Taken from the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD) when not set.
    type: str
  access_token:
    description:
      - >-
        A token for Microsoft Graph that was made elsewhere, for example by a credential plugin of the automation
        platform.
      - It cannot be renewed here. The module fails when the token expires.
      - Taken from the environment variable E(MSGRAPH_ACCESS_TOKEN) when not set.
    type: str
  auth_source:
    description:
      - Which way to sign in to use.
      - V(auto) takes the first that is set of O(access_token), O(certificate_path), O(client_secret).
    type: str
    choices: [auto, secret, certificate, token]
    default: auto
  cloud_environment:
    description:
      - The cloud of the tenant. It decides the defaults of O(authority_host) and O(graph_url).
      - The cloud in China is not offered. Intune there has no Windows Autopilot, and so no connector.
      - Taken from the environment variable E(AZURE_CLOUD_ENVIRONMENT) when not set.
    type: str
    choices: [AzureCloud, AzureUSGovernment, AzureUSGovernmentDoD]
    default: AzureCloud
  authority_host:
    description:
      - Address of Entra, when it is not that of O(cloud_environment). Always https.
      - Taken from the environment variable E(AZURE_AUTHORITY_HOST) when not set.
    type: str
  graph_url:
    description:
      - Address of Microsoft Graph, when it is not that of O(cloud_environment). Always https, without a path.
    type: str
  ca_path:
    description:
      - PEM file with the certificate authorities to trust instead of the default ones.
      - When not set, the environment variables E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) work as usual.
      - A file that cannot be used is an error before anything is sent.
    type: path
  validate_certs:
    description:
      - Whether to check the certificates of Entra and Graph.
      - Turn it off for tests only, secrets would go to anyone who answers.
    type: bool
    default: true
  proxy:
    description:
      - Proxy for Entra and Graph, such as V(http://proxy.example.com:8080), without a password.
      - >-
        When not set, the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY) work as usual. User and
        password may stand in them, percent-encoded.
      - When set, E(NO_PROXY) has no effect.
    type: str
  timeout:
    description:
      - Seconds within which each answer must have come whole, from 1 to 3600.
      - Requests that are throttled, or find the service unavailable, are sent up to five times.
      - Reads that break off or fail in the service (HTTP 500 and 502) are sent up to three times.
      - >-
        An answer has at most 8 MiB. A list ends with an error after 1000 pages, 32 MiB or 15 minutes.
    type: int
    default: 60
requirements:
  - msal >= 1.35
  - requests
  - cryptography
notes:
  - >-
    Runs where Python and these libraries are, normally on the controller with C(delegate_to: localhost).
    When the inventory has a host C(localhost) of its own, give it
    C(ansible_python_interpreter: "{{ ansible_playbook_python }}").
  - Uses the beta version of Microsoft Graph. Connectors and profiles of Autopilot hybrid join exist nowhere else.
"""
