"""The library as Lightning wants it: one batch that holds every star."""

import lightning
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset


class LibraryDataModule(lightning.LightningDataModule):
    """Unit labels and flux coefficients of the training stars.

    The marginal likelihood of a Gaussian process does not split over stars, so an epoch is one
    batch of all of them. The data set has that batch as its only item: Lightning deals items out
    to the devices, and so deals this one to each.

    Args:
        inputs: Unit labels.
        targets: Standardised coefficients of the flux PCA.
    """

    def __init__(
        self, inputs: Float[Tensor, "template label"], targets: Float[Tensor, "template comp"]
    ) -> None:
        super().__init__()
        self.dataset = TensorDataset(inputs[None], targets[None])

    def train_dataloader(self) -> DataLoader:
        """All stars in one batch."""
        return DataLoader(self.dataset, batch_size=None, shuffle=False)
