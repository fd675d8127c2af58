import torch

from torchfit.library.datamodule import LibraryDataModule


def test_an_epoch_is_one_batch_of_all_stars_in_order(generator):
    x, y = torch.rand(17, 3, generator=generator), torch.rand(17, 5, generator=generator)
    (batch,) = LibraryDataModule(x, y).train_dataloader()
    assert torch.equal(batch[0], x)
    assert torch.equal(batch[1], y)
