"""`torch.distributed`: not available.

`is_available()` and `is_initialized()` are False, so that a script that asks goes on in
one process. What it would need more of is refused when it is called.
"""

from __future__ import annotations

from .absent import absent

__path__: list[str] = []

WHY = (
    "plugrad trains in one process; ask torch.distributed.is_available() before, and "
    "leave groups of processes out where it is False"
)
NAMES = """
    P2POp ProcessGroup ReduceOp all_gather all_gather_into_tensor all_gather_object
    all_reduce all_to_all barrier batch_isend_irecv broadcast broadcast_object_list
    destroy_process_group gather gather_object get_backend get_rank get_world_size group
    init_process_group irecv isend monitored_barrier new_group recv reduce
    reduce_scatter reduce_scatter_tensor scatter scatter_object_list send
"""
globals().update(absent("torch.distributed", NAMES, WHY))


def is_available() -> bool:
    """False: there are no groups of processes."""
    return False


def is_initialized() -> bool:
    """False: no group of processes was made."""
    return False


def is_backend_available(backend: str) -> bool:
    """False, for every library that groups of processes talk by."""
    return False


is_gloo_available = is_mpi_available = is_nccl_available = is_available
is_ucc_available = is_available
is_torchelastic_launched = is_initialized
