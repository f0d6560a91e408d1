import time,sys,json
from pathlib import Path
import torch; torch.set_num_threads(1)
from vaekit.studies.aevb.cells import *
from vaekit.studies.aevb.train import *
f=Path(".cache/try")
for c in (Cell("mnist",20,"aevb"),Cell("frey_faces",10,"aevb"),Cell("frey_faces",10,"wake_sleep"),Cell("mnist",3,"mcem",images=1000,hidden=100)):
    s=time.time(); r=train_cell(c,f,20000,curve_images=1000); print(c.name, time.time()-s, json.dumps(r)[:900]); sys.stdout.flush()
