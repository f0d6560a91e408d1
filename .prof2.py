exec(open('.bench.py').read().split("for obj in")[0])
from torch.profiler import profile, ProfilerActivity
import sys
obj,prec=sys.argv[1:]
src=open('.bench.py').read()
body=src[src.index("        mlp="):src.index("        s=time")]
import textwrap
opt="adagrad"
exec(textwrap.dedent(body))
t.run(until=20)
with profile(activities=[ProfilerActivity.CPU]) as p: t.run(until=120)
print(p.key_averages().table(sort_by="self_cpu_time_total", row_limit=22, max_name_column_width=40))
