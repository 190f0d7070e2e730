"""A chain of transforms of a picture, as torchvision makes it."""

import numpy as np
from PIL import Image
from torchvision import transforms

chain = transforms.Compose([transforms.CenterCrop(10), transforms.ToTensor()])
pixels = np.arange(20 * 20 * 3, dtype="uint8").reshape(20, 20, 3)
x = chain(Image.fromarray(pixels))
middle = pixels[5:15, 5:15].transpose(2, 0, 1)
print(tuple(x.shape), x.dtype, np.allclose(x.numpy() * 255, middle))
