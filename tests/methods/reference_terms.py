"""The term of every built-in method once more, in NumPy, from both models' outputs and the projectors' weights.

Each takes the config, the built objective and the toy; ``sample`` are the places of the nodes that a method draws.
"""

import numpy as np
import numpy_formulas as formulas

ALL = slice(None)


def array(tensor):
    return tensor.detach().double().numpy()


def chosen(config, toy):
    """Numbers of the nodes where the loss is taken."""
    return np.arange(toy.batch.num_nodes) if config.nodes == "all" else np.flatnonzero(toy.batch.train_mask.numpy())


def last_hidden(config, toy):
    """(student, teacher) features of the chosen nodes."""
    keep = chosen(config, toy)
    return array(toy.student.hidden[-1])[keep], array(toy.teacher.hidden[-1])[keep]


def chosen_edges(config, toy):
    """Edges among the chosen nodes, by their places."""
    place = {node: position for position, node in enumerate(chosen(config, toy).tolist())}
    edges = [(place[j], place[i]) for j, i in toy.batch.edge_index.T.tolist() if j in place and i in place]
    return np.array(edges).reshape(-1, 2).T


def kd(config, objective, toy, sample=ALL):
    keep = chosen(config, toy)
    student, teacher = array(toy.student.logits)[keep], array(toy.teacher.logits)[keep]
    return formulas.kd(student, teacher, config.temperature, config.convention)


def glnn(config, objective, toy, sample=ALL):
    return formulas.glnn(array(toy.student.logits), array(toy.teacher.logits))


def label_smoothing(config, objective, toy, sample=ALL):
    return formulas.label_smoothing(array(toy.student.logits)[toy.batch.train_mask.numpy()])


def head(module, features):
    """Linear → BatchNorm → ReLU."""
    out = formulas.linear(array(module.linear.weight), array(module.linear.bias), features)
    return formulas.batch_norm_relu(out, array(module.norm.weight), array(module.norm.bias))


def graph_head(module, features, edges):
    """GCNConv → BatchNorm → ReLU."""
    out = formulas.graph_convolution(array(module.conv.lin.weight), array(module.conv.bias), features, edges)
    return formulas.batch_norm_relu(out, array(module.norm.weight), array(module.norm.bias))


def fitnet(config, objective, toy, sample=ALL):
    student, teacher = last_hidden(config, toy)
    return formulas.fitnet(head(objective.student_head, student), head(objective.teacher_head, teacher))


def at(config, objective, toy, sample=ALL):
    return formulas.attention_transfer(*last_hidden(config, toy), config.p)


def lsp(config, objective, toy, sample=ALL):
    return formulas.lsp(
        *last_hidden(config, toy), chosen_edges(config, toy), config.kernel, config.sigma, config.direction,
        convention=config.convention,
    )  # fmt: skip


def gsp(config, objective, toy, sample=ALL):
    student, teacher = last_hidden(config, toy)
    return formulas.gsp(student[sample], teacher[sample], config.kernel)


def gcrd(config, objective, toy, sample=ALL):
    heads = objective.student_head, objective.teacher_head
    if config.head == "mlp":
        sides = [head(module, f) for module, f in zip(heads, last_hidden(config, toy), strict=True)]
    else:
        edges, keep = toy.batch.edge_index.numpy(), chosen(config, toy)
        whole = [array(output.hidden[-1]) for output in (toy.student, toy.teacher)]
        sides = [graph_head(module, f, edges)[keep] for module, f in zip(heads, whole, strict=True)]
    return formulas.gcrd(*(side[sample] for side in sides), config.temperature)


def abkd(config, objective, toy, sample=ALL):
    layers, pooled = {}, {}
    for role in ("teacher", "student"):
        output = getattr(toy, role)
        features = [array(h)[chosen(config, toy)] for h in (*output.hidden, output.logits)]
        if config.pairs == "last":
            features = features[-2:-1]
        elif config.layers == "hidden":
            features = features[:-1]
        values = getattr(objective, f"{role}_value")
        layers[role] = [compared(config, objective, values, place, f) for place, f in enumerate(features)]
        if config.attention == "learned":
            maps = objective.teacher_query if role == "teacher" else objective.student_key
            pooled[role] = [weight_of(maps, place) @ f.mean(0) for place, f in enumerate(features)]
    distance = formulas.abkd_dissimilarity(layers["teacher"], layers["student"], config.pool)
    contrast = np.array([[formulas.gcrd(s[sample], t[sample]) for s in layers["student"]] for t in layers["teacher"]])
    attention = np.full_like(distance, 1 / distance.shape[1])
    if config.attention == "learned":
        attention = formulas.abkd_attention(pooled["teacher"], pooled["student"])
    return formulas.abkd(attention, distance + config.structure * contrast)


def compared(config, objective, values, place, features):
    """A layer as it is compared with others: projected, into the subspace, on one scale."""
    out = features @ weight_of(values, place).T
    if config.subspace:
        out = out @ array(objective.subspace.weight).T
    return formulas.normalised(out, config.normalise)


def weight_of(projections, layer):
    return array(projections.maps[projections.place[layer]].weight)


REFERENCES = {
    "kd": kd,
    "glnn": glnn,
    "label-smoothing": label_smoothing,
    "fitnet": fitnet,
    "at": at,
    "lsp": lsp,
    "gsp": gsp,
    "gcrd": gcrd,
    "abkd": abkd,
}
