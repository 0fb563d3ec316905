# The same SGD steps in PyTorch, one thread. Reads one command a line, answers with one JSON line.
#   "weights FILE": reads the models' sizes, parameters and batches.  "MODEL STEPS": seconds a step, and the loss.
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
models = {}


def load(path):
    with open(path) as file:
        for name, parts in json.load(file).items():
            make = lambda part: torch.tensor(part["data"], dtype=getattr(torch, part["dtype"])).reshape(part["shape"])
            parameters = {key: make(part).requires_grad_() for key, part in parts["parameters"].items()}
            models[name] = (parameters, make(parts["x"]), make(parts["y"]), parts["rate"])


def mlp(x, p):
    h = torch.relu(torch.addmm(p["b1"], x, p["w1"]))
    h = torch.relu(torch.addmm(p["b2"], h, p["w2"]))
    return torch.addmm(p["b3"], h, p["w3"])


def cnn(x, p):
    h = F.max_pool2d(torch.relu(F.conv2d(x, p["w1"], p["b1"], padding=1)), 2)
    h = F.max_pool2d(torch.relu(F.conv2d(h, p["w2"], p["b2"], padding=1)), 2)
    return torch.addmm(p["b3"], h.flatten(1), p["w3"])


forward = {"mlp": mlp, "cnn": cnn}


def run(name, steps):
    parameters, x, y, rate = models[name]
    optimizer = torch.optim.SGD(parameters.values(), lr=rate)
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(forward[name](x, parameters), y)
        loss.backward()
        optimizer.step()
    return {"seconds": (time.perf_counter() - start) / steps, "loss": loss.item()}


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    command, argument = line.split()
    answer = load(argument) or {} if command == "weights" else run(command, int(argument))
    print(json.dumps(answer), flush=True)
