"""Call JellyFaaS functions and ask questions. Standard library only; nothing is logged."""

from ._call import CallInput
from ._client import JellyFaaS, jellyfaas
from ._errors import JellyFaaSError
from ._flow import AIClient, Client, Config
from ._session import Response
from ._sql import SqlDatabase
from ._vectors import VectorDatabase

__all__ = [
    "AIClient",
    "CallInput",
    "Client",
    "Config",
    "JellyFaaS",
    "JellyFaaSError",
    "Response",
    "SqlDatabase",
    "VectorDatabase",
    "jellyfaas",
]
