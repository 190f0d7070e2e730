"""A training set from nested lists, by a type's old name."""

import torch

training_set = [[1, 2, 0.5], [3, 4.5, 6]]
train_set = torch.FloatTensor(training_set)
print(train_set, train_set.type(), torch.LongTensor([7, 8]))
