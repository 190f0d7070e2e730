"""Every op by itself: its declaration, and its gradients against numeric ones."""
