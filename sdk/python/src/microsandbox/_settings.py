"""What a sandbox object is told when it is made, the same for both twins."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ._address import Address, resolve
from ._types import SandboxInfo
from ._wire import DEFAULT_NAMESPACE, SandboxOptions, Target

START_SECONDS = 180.0


@dataclass(frozen=True)
class Settings:
    """Where the server is, which sandbox is meant, and how it is to be made."""

    address: Address
    target: Target
    options: SandboxOptions
    start_timeout: float

    @classmethod
    def of(
        cls,
        default_image: str,
        server_url: str | None,
        namespace: str,
        name: str | None,
        api_key: str | None,
        image: str | None,
        isolation: str | None,
        memory: int | None,
        cpus: float | None,
        processes: int | None,
        disk: int | None,
        env: Mapping[str, str] | None,
        labels: Mapping[str, str] | None,
        network: str | None,
        time_to_live: float | None,
        idle_timeout: float | None,
        ephemeral: bool,
        start_timeout: float,
    ) -> Settings:
        """Fill in the defaults: a generated name, the language's image."""
        options = SandboxOptions(
            image=image or default_image,
            isolation=isolation,
            memory=memory,
            cpus=cpus,
            processes=processes,
            disk=disk,
            env=env,
            labels=labels,
            network=network,
            time_to_live=time_to_live,
            idle_timeout=idle_timeout,
            ephemeral=ephemeral,
        )
        target = Target(name or f"sandbox-{secrets.token_hex(4)}", namespace or DEFAULT_NAMESPACE)
        return cls(resolve(server_url, api_key), target, options, start_timeout)

    def with_sizes(self, image: str | None, memory: int | None, cpus: float | None) -> Settings:
        """The same with what `start` was given."""
        options = self.options
        return replace(
            self,
            options=replace(
                options,
                image=image or options.image,
                memory=memory if memory is not None else options.memory,
                cpus=cpus if cpus is not None else options.cpus,
            ),
        )

    def adopting(self, info: SandboxInfo) -> Settings:
        """The same for the sandbox that was found, by its id."""
        return replace(
            self,
            target=Target(info["name"], info["namespace"], info["id"]),
            options=replace(self.options, ephemeral=info["ephemeral"]),
        )
