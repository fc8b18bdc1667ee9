"""What a program of the original system's users looks like; run by its published client, unchanged."""

import asyncio

from microsandbox import NodeSandbox, PythonSandbox


async def main() -> None:
    async with PythonSandbox.create(name="old-python") as sandbox:
        await sandbox.run("name = 'Python'")
        execution = await sandbox.run("print(f'Hello from {name}!')")
        print(await execution.output(), execution.has_error(), execution.status, execution.language)
        failed = await sandbox.run("undefined_name")
        print(failed.has_error(), (await failed.error()).splitlines()[-1])
        command = await sandbox.command.run("sh", ["-c", "echo hi; exit 3"])
        print(await command.output(), command.exit_code, command.success)
        metrics = await sandbox.metrics.all()
        print(metrics["name"], metrics["running"], metrics["memory_usage"] > 0, metrics["disk_usage"] > 0)
    async with NodeSandbox.create(name="old-node") as sandbox:
        print(await (await sandbox.run("console.log('Hello from Node.js!')")).output())
        try:
            await sandbox.command.run("no-such-program")
        except RuntimeError as error:
            print(str(error)[:27], "no-such-program" in str(error))


asyncio.run(main())
