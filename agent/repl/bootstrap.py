b=__import__('builtins').__dict__.copy();exec(compile(__import__('os').pread(3,1<<24,0),'<microsandbox>','exec'),{'__name__':'microsandbox','__builtins__':b})
