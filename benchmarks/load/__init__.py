"""What a server does under load: for long, with many sandboxes, with all of them at once, beside a hostile one."""
