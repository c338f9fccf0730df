"""A small training on a GPU with its state in SCRATCH: train.py SCRATCH OUT. Equal seeds give equal bytes."""
import os
import sys

os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
import torch

scratch, out = sys.argv[1:]
state, epochs = os.path.join(scratch, "state.pt"), 300
torch.use_deterministic_algorithms(True)
torch.backends.cudnn.benchmark = False
torch.manual_seed(1)
net = torch.nn.Sequential(
    torch.nn.Conv3d(1, 8, 3), torch.nn.InstanceNorm3d(8), torch.nn.LeakyReLU(), torch.nn.Conv3d(8, 1, 3)
).cuda()
optimizer = torch.optim.Adam(net.parameters(), 0.01)
first = 0
if os.path.exists(state):
    kept = torch.load(state, weights_only=True)
    first = kept["epoch"] + 1
    net.load_state_dict(kept["net"])
    optimizer.load_state_dict(kept["optimizer"])
for epoch in range(first, epochs):
    random = torch.Generator().manual_seed(epoch)
    image = torch.randn(2, 1, 24, 24, 24, generator=random).cuda()
    wanted = image[:, :, 2:-2, 2:-2, 2:-2].sin()
    optimizer.zero_grad()
    (net(image) - wanted).square().mean().backward()
    optimizer.step()
    kept = {"epoch": epoch, "net": net.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(kept, f"{state}.part")
    os.rename(f"{state}.part", state)
    with open("epochs", "a") as log:
        log.write(f"{epoch} on {next(net.parameters()).device}\n")
with open(out, "wb") as file:
    for weights in net.state_dict().values():
        file.write(weights.cpu().numpy().tobytes())
